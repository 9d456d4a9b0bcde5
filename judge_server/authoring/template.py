"""The template of a new rubric: valid, without lint findings, with one criterion of each kind."""

from judge_server.authoring.parsing import parse

_TEMPLATE = """\
# `judge-server docs rubrics` describes the format. Editors check it against what `judge-server rubric schema` prints.
format: 1
id: {id}
version: 1.0.0
title: {title}
description: >
  Say when to use this rubric and what it does not cover.
authors: [your name]
license: CC-BY-4.0

# What conditions (when:) read of a submission. One that is not declared here is an error.
facts:
  - name: audience
    values: ["patient", "expert"]
    question: "Who is the answer for?"

# points: sum of points earned over the sum of positive points. Others: weighted_mean, all, any, expression.
aggregate: {{kind: points, clip: [0, 1]}}

# A criterion without a verdict is never counted as 0. skip leaves it out while enough of the weight is decided.
missing: {{policy: skip, min_coverage: 0.8}}

criteria:
  # A statement that is true or false of the response: one demand each, in quotes, so that commas, colons and #
  # are text. Examples show the judge where the line runs.
  - id: answers_question
    statement: "States a direct answer to the question that was asked."
    points: 7
    tags: [axis:completeness]
    examples:
      - {{response: "Yes, for adults up to three times a day.", met: true, reason: "The answer stands there."}}
      - {{response: "Many people wonder about this.", met: false, reason: "Nothing is answered."}}

  # Negative points: met means that the bad thing is present. The gate caps the whole reward.
  - id: invents_source
    statement: "Cites a publication that does not exist."
    points: -5
    tags: [axis:accuracy]
    gate: {{when: met, reward: 0.0}}
    examples:
      - {{response: "As Smith (2031) showed, ...", met: true, reason: "The year lies in the future."}}
      - {{response: "Guidelines differ on this.", met: false, reason: "No publication is cited."}}

  # Ordered options, worst to best. The description of each is what the judge goes by.
  - id: plain_words
    kind: scale
    statement: "How plainly is it written for a lay reader?"
    points: 3
    tags: [axis:communication]
    when: {{facts.audience: patient}}
    options:
      - label: "jargon"
        value: 0
        description: "Unexplained technical terms throughout."
      - label: "mixed"
        value: 0.5                       # a decimal point, never a comma
        description: "Some technical terms are left unexplained."
      - label: "plain"
        value: 1
        description: "Every technical term is explained or avoided."
    examples:
      - {{response: "Take it for the fever, that is, above 38 degrees.", option: plain, reason: "Explained."}}

  # A program decides: no model is asked.
  - id: concise
    kind: check
    statement: "The answer has at most 300 words."
    points: 1
    tags: [axis:communication]
    check: {{kind: length, unit: words, max: 300}}
"""


def title_of(rubric_id: str) -> str:
    """The last part of an id in words."""
    return rubric_id.rsplit("/", 1)[-1].replace("_", " ").replace("-", " ").capitalize()


def template(rubric_id: str) -> str:
    """The text of a new rubric. Raises BadRubric if ``rubric_id`` is not an id."""
    text = _TEMPLATE.format(id=rubric_id, title=f'"{title_of(rubric_id)}"')
    parse(text)
    return text
