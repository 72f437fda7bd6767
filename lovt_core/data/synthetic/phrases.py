"""The wording of synthetic reports, as tables."""

from lovt_core.data.synthetic.findings import FindingKind
from lovt_core.data.synthetic.geometry import Zone

PRESENT: dict[FindingKind, tuple[str, ...]] = {
    "nodule": (
        "{severity} nodule in {place}.",
        "There is a {severity} pulmonary nodule projecting over {place}.",
        "Rounded {severity} nodular opacity in {place}.",
    ),
    "mass": (
        "{severity} lobulated mass in {place}.",
        "There is a {severity} mass in {place}, suspicious for malignancy.",
        "{severity} mass-like opacity in {place}.",
    ),
    "pneumonia": (
        "Patchy {severity} consolidation in {place}, concerning for pneumonia.",
        "{severity} airspace opacity in {place} consistent with pneumonia.",
        "{severity} pneumonia in {place}.",
        "Focal {severity} consolidation within {place}.",
    ),
    "infiltrate": (
        "{severity} reticular infiltrate in {place}.",
        "{severity} interstitial infiltrate within {place}.",
        "Increased interstitial markings in {place}, {severity}.",
    ),
    "atelectasis": (
        "{severity} linear atelectasis in {place}.",
        "Band-like {severity} opacity in {place}, likely subsegmental atelectasis.",
        "{severity} plate-like atelectasis in {place}.",
    ),
    "effusion": (
        "{severity} {side} pleural effusion.",
        "Blunting of the {side} costophrenic angle, consistent with a {severity} effusion.",
        "There is a {severity} pleural effusion at the {side} base.",
    ),
    "pneumothorax": (
        "{severity} {side} apical pneumothorax.",
        "There is a {severity} {side} pneumothorax with a visible pleural line.",
        "{severity} pneumothorax along the {side} upper chest wall.",
    ),
    "cardiomegaly": (
        "{severity} cardiomegaly.",
        "The heart is enlarged, {severity}.",
        "{severity} enlargement of the cardiac silhouette.",
    ),
    "foreign object": (
        "Radiopaque foreign object over {place}.",
        "Metallic foreign body projecting over {place}.",
    ),
}
"""Sentences that name severity, side and zone of a finding."""

ABSENT: dict[FindingKind, tuple[str, ...]] = {
    "nodule": ("No pulmonary nodule.", "No suspicious nodule is seen."),
    "mass": ("No mass.", "There is no evidence of a mass."),
    "pneumonia": ("No focal consolidation.", "No evidence of pneumonia.", "There is no airspace consolidation."),
    "infiltrate": ("No interstitial infiltrate.", "Interstitial markings are within normal limits."),
    "atelectasis": ("No atelectasis.",),
    "effusion": ("No pleural effusion.", "There is no effusion.", "The costophrenic angles are sharp."),
    "pneumothorax": ("No pneumothorax.", "There is no evidence of pneumothorax."),
    "cardiomegaly": ("The heart size is normal.", "Cardiac silhouette is normal in size.", "No cardiomegaly."),
}
"""True statements about what is not there."""

NORMAL = ("The lungs are clear.", "No acute cardiopulmonary abnormality.", "Normal chest radiograph.")

DISTRACTORS = (
    "Degenerative changes of the spine.",
    "The bony thorax is intact.",
    "The trachea is midline.",
    "Mild tortuosity of the aorta.",
    "Visualized upper abdomen is unremarkable.",
    "Comparison with the prior study is limited.",
    "The patient is slightly rotated.",
    "Clinical correlation is recommended.",
    "Old healed rib fracture.",
    "The mediastinal contours are unchanged.",
)

SEVERITIES: dict[FindingKind, tuple[str, ...]] = {
    "nodule": ("tiny", "small", "moderate"),
    "mass": ("moderate", "large", "very large"),
    "pneumonia": ("mild", "moderate", "severe"),
    "infiltrate": ("mild", "moderate", "severe"),
    "atelectasis": ("minimal", "mild", "moderate"),
    "effusion": ("small", "moderate", "large"),
    "pneumothorax": ("tiny", "small", "moderate"),
    "cardiomegaly": ("mild", "moderate", "severe"),
    "foreign object": ("",),
}
"""Words from the smallest to the largest of a kind."""

ZONE_WORDS: dict[Zone, tuple[str, ...]] = {
    "upper": ("upper",),
    "middle": ("mid", "middle"),
    "lower": ("lower",),
}
ZONE_NAMES = ("the {side} {zone} zone", "the {side} {zone} lung zone", "the {side} {zone} lung")

SINGLE_LEAD = "A monitoring lead overlies the chest."
TUBE = ("A tube is in place.", "Endotracheal tube in situ.", "A midline tube is noted.")


def leads(count: int) -> str:
    """The sentence about several leads."""
    return f"{ {2: 'Two', 3: 'Three'}.get(count, 'Several') } monitoring leads overlie the chest.".replace("  ", " ")
