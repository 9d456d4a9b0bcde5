"""What a trainer's sample can have wrong before anything is judged.

BadSubmission 422
├── BadEnvelope    the label is meant as an envelope and cannot be read as one
├── UnsplitText    prompt and response cannot be told apart
└── UnboundRubric  nothing says which rubric the sample is judged under
"""

from judge_server.core.errors import BadSubmission


class BadEnvelope(BadSubmission):
    type, title = "bad_envelope", "The label is an envelope that cannot be read"


class UnsplitText(BadSubmission):
    type, title = "unsplit_text", "Prompt and response cannot be told apart"


class UnboundRubric(BadSubmission):
    type, title = "unbound_rubric", "No rubric is bound to the sample"
