from labeler.api import Arrays as Arrays
from labeler.api import Labeling as Labeling
from labeler.api import open as open  # noqa: A004
from labeler.core.errors import LabelerError as LabelerError
from labeler.plugins.custom import plugin as plugin
from labeler.plugins.custom import register as register

__version__: str
