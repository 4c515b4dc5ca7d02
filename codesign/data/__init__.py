"""Data sets in their official file formats, and the user's own arrays."""

from codesign.data.dataset import Dataset, Split
from codesign.data.load import dataset_names, load_dataset

__all__ = ["Dataset", "Split", "dataset_names", "load_dataset"]
