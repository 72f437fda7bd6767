"""A few test images with what a head says of them, kept for looking at (`lovt show RUN --predictions`)."""

from pathlib import Path

from lovt_core.data.predictions import PredictedCase, Predictions, Rank, pick_cases, save_predictions
from lovt_core.evaluation.task_data import TaskData
from lovt_core.evaluation.training.candidate import TrainedHead
from lovt_core.evaluation.training.criteria import ImagePrediction, to_numpy
from lovt_core.evaluation.training.head_training import HeadTraining


def save_cases(training: HeadTraining, trained: TrainedHead, data: TaskData, artifacts: Path) -> None:
    """Write the best, the median and the worst of the test images that hold something to be found.

    The file is `predictions/<task>.npz` among the run's artifacts; nothing is written where no image holds anything.
    """
    test = data.split.test
    scored = [(image.score, image.has_targets) for image in training.predict(trained, test)]
    picked = pick_cases([score for score, _ in scored], [has_targets for _, has_targets in scored])
    if not picked:
        return
    shown = training.predict(trained, [test[position] for _, position in picked])
    cases = tuple(
        _describe(rank, data, test[position], image) for (rank, position), image in zip(picked, shown, strict=True)
    )
    folder = artifacts / "predictions"
    folder.mkdir(parents=True, exist_ok=True)
    task = training.protocol.task
    save_predictions(
        folder / f"{task.id}.npz",
        Predictions(
            task=task.id,
            data=data.prepared.name,
            data_fingerprint=data.prepared.fingerprint,
            image_size=data.image_side,
            replicate=0,
            cases=cases,
        ),
    )


def _describe(rank: Rank, data: TaskData, sample: int, image: ImagePrediction) -> PredictedCase:
    found = image.detections
    return PredictedCase(
        rank=rank,
        sample=data.prepared.samples[sample].id,
        image_row=data.image_rows([sample])[0],
        score=image.score,
        mask=None if image.mask is None else to_numpy(image.mask),
        boxes=None if found is None else to_numpy(found.boxes),
        confidence=None if found is None else to_numpy(found.confidence),
        classes=None if found is None else to_numpy(found.classes),
    )
