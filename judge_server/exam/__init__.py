"""An exam for judges: contrast pairs whose right answers are known by construction, in families."""
