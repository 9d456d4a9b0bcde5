"""Labels by people and judges: sets, tables, archives, splits."""
