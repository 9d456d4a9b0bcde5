"""Labels of people and judges: sets, tables, archives, splits."""
