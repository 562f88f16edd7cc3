from labeler.errors import LabelerError as LabelerError
from labeler.plugin_files import plugin as plugin
from labeler.plugin_files import register as register
from labeler.scripting import Arrays as Arrays
from labeler.scripting import Labeling as Labeling
from labeler.scripting import open as open  # noqa: A004

__version__: str
