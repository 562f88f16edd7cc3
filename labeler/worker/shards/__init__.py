"""Features of a source too large for one process: shard by shard, on all cores or on a cluster.

:mod:`plan` looks at a sample and fixes what every shard is computed with, :mod:`job` is that record, :mod:`shard` the
work of one shard, :mod:`executors` who does it, :mod:`run` the loop, :mod:`manifest` the result and the way back in.
"""
