"""Agreement of judges with people, and of people with each other.

``RatingPanel.of`` takes a long table; ``judge_agreement``, ``human_agreement`` and ``judge_difference`` measure it.
Each metric family has its own file, and every metric is a function of statistics summed within clusters, so that a
bootstrap over clusters is a matrix product.
"""
