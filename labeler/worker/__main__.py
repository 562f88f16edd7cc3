"""Run the worker: `python -m labeler.worker`, fed through its standard input."""

from labeler.worker.server import main

if __name__ == "__main__":
    main()
