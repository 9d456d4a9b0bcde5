"""The report: judges measured against people, computed once and written as JSON, HTML, Markdown or terminal text."""
