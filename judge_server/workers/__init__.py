"""Background work: jobs, audits, canaries."""
