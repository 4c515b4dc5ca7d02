"""Resources and frames per second before any synthesis; every number carries its source."""
