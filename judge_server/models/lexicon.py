"""How much English words say, for the lexical baseline: three steps that stand in for an inverse document frequency."""


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


FUNCTION_WORDS = _words(
    """
    a about after all also am an and any are as at be because been before being between both but by can could
    did do does down during e each etc for from g had has have he her his how i if in into is it its just may
    might more most must my no nor not of off on only or other our out over own s same she should so some such t
    than that the their them then there these they this those to too under until up us very was we were what
    when which while who will with would you your
    """
)
COMMON_WORDS = _words(
    """
    advise affect always amount answer ask avoid bad based best better call case cause certain come common
    condition consider consult contact contain day depend describe different disease doctor due early effect
    especially example experience explain feel find first follow general get give go good happen health
    healthcare help high hour important include increase keep kind know large last lead like likely long look
    lot low make man many medical medication medicine mention month much need new next normal number occur often
    old part patient people person physician possible prevent professional provide provider recommend reduce
    require response result risk same say see seek several severe short show small sometimes specific start
    state stop suggest symptom take tell thing time treat treatment try type typical use usually want way week
    well woman work year
    """
)
NEGATIONS = _words(
    """
    aren avoid cannot didn doesn don hasn haven isn neither never no none nor not nothing shouldn wasn weren
    without won wouldn
    """
)
