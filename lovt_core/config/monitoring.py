"""What is measured beside a pre-training; nothing here changes what is trained."""

from lovt_core.config.base import Section


class MonitoringConfig(Section):
    """Costs are in docs/monitoring.md."""

    embeddings: bool = True
    """Validations report retrieval, alignment and spread of the embeddings, and warn when they collapse."""
    probe: bool = True
    """A linear classifier of CheXpert labels learns beside the method where the data has them."""
