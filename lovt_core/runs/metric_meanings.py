"""What the names of metrics mean, one sentence each; docs/monitoring.md and docs/method.md define them in full."""

from fnmatch import fnmatchcase

PHASES = (("train/epoch_", "mean of the epoch"), ("train/", "this step"), ("val/", "validation"))
"""What begins the names of metrics of the methods, and when they were computed."""
MEANINGS = (
    ("loss", "the loss that is minimised: the weighted sum of its terms"),
    ("global/image_to_report", "loss of finding each image's report among those of the batch, unweighted"),
    ("global/report_to_image", "loss of finding each report's image among those of the batch, unweighted"),
    ("regions/local_to_attended", "loss of finding what the report says of a region by the region, unweighted"),
    ("regions/attended_to_local", "loss of finding a region by what the report says of it, unweighted"),
    ("sentences/local_to_attended", "loss of finding what a sentence looks at by the sentence, unweighted"),
    ("sentences/attended_to_local", "loss of finding a sentence by what it looks at, unweighted"),
    ("share/*", "how much of the loss this term makes up, 0 to 1"),
    ("accuracy/top?_image_to_report", "share of images whose report is among the k nearest of the batch; rises"),
    ("accuracy/top?_report_to_image", "share of reports whose image is among the k nearest of the batch; rises"),
    ("accuracy/top?", "share of views whose other view is among the k nearest of the batch; rises"),
    ("deviation", "standard deviation of predictions over the batch; near 0 is a collapse"),
    ("cells", "loss of propagated cells against those of the other view, -2 to 2; falls"),
    ("instances", "loss of whole views against each other, 0 to 8; falls"),
    ("cells/overlapping", "share of images whose two views have cells in common"),
    ("cells/positive_pairs", "mean number of cells that the two views of an image have in common"),
    ("retrieval/top?_region_to_attended", "share of regions whose own text is among the k nearest of the image; rises"),
    ("retrieval/top?_sentence_to_attended", "share of sentences whose own regions are among the k nearest; rises"),
    ("retrieval/top?_*", "share of samples whose counterpart is among the k nearest of all; chance is k over all"),
    ("alignment/*", "mean squared distance of embeddings to their counterparts, 0 to 4; falls, 2 is chance"),
    ("features/smoothness", "how much more alike adjacent cells are than others of an image; 0: place means nothing"),
    ("features/std*", "standard deviation of the feature map that evaluations start from"),
    ("*/std_within_*", "standard deviation within each sample; 0: all its regions or sentences are alike"),
    ("*/std", "standard deviation of embeddings; near 1/sqrt(size) is healthy, near 0 a collapse"),
    ("*/uniformity", "how evenly embeddings are spread: 0 after a collapse, -4 when even"),
    ("*/covariance", "squared covariances of different dimensions; large: few directions are used"),
    ("probe/*_in_training", "linear probe of CheXpert labels on recent training samples (area under the ROC curve)"),
    ("probe/*", "linear probe of CheXpert labels (area under the ROC curve); rises above 0.5"),
    ("auroc", "mean area under the ROC curve over the labels; 0.5 is chance"),
    ("auroc/*", "area under the ROC curve of this label; 0.5 is chance"),
    ("learning_rate", "learning rate of the optimiser"),
    ("gradient_norm", "length of the gradient before it is clipped"),
    ("time/step_seconds", "seconds of the whole step"),
    ("time/samples_per_second", "pairs or images of the step over its whole time"),
    ("time/data_share", "share of the step without data at hand; far above 0: the data is too slow"),
    ("time/other_share", "share of the step that is not model, backward pass or optimiser"),
    ("system/gpu_percent", "how busy the GPU is"),
    ("system/gpu_memory_gb", "GPU memory that the run holds, of several GPUs the most on one, GB"),
    ("system/gpu_watts", "power that the GPU draws, watts"),
    ("system/cpu_percent", "processor time of the run; 100 is one core"),
    ("system/memory_gb", "memory that the run holds, GB"),
)  # fmt: skip
"""Patterns of names without what `PHASES` has, the first that fits counts."""


def find_meaning(metric: str) -> str:
    """What a metric is and, where it is of a phase, of which; empty for one that is not known."""
    start, phase = next((each for each in PHASES if metric.startswith(each[0])), ("", ""))
    name = metric.removeprefix(start)
    meaning = next((meaning for pattern, meaning in MEANINGS if fnmatchcase(name, pattern)), "")
    return f"{phase}: {meaning}" if phase and meaning else meaning
