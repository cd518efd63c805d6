"""The words that synthetic speakers use, by their part in the sentence."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


PEOPLE = _words(
    """Paul Mary George Sophie Victor Zoe Philip Joy Theo Beth Marcus Yvonne Hugh Chloe Robin
    Fiona Samuel Grace Oliver Judith"""
)
PLURAL_PEOPLE = _phrases(
    """my parents|the children|our neighbours|both teachers|the farmers|five women|the pilots|
    most people|the judges|those boys|the musicians|her cousins"""
)
ADJECTIVES = _words(
    """big small yellow purple heavy broken beautiful quiet loud warm cold fresh bitter smooth
    rough empty precious early funny gentle huge thick thin wet proud simple famous brave awful
    pale deep royal narrow perfect secret wooden shiny modern bright young"""
)
NOUNS = _words(
    """map boat bottle pepper apple table window garden kitchen letter paper photograph bridge
    village journey thumb mouth foot beach fish voice boy oil coin bird word church shirt measure
    treasure television cheese jam judge lamb comb mountain cloud house mouse gown pool moon spoon
    book cook bush rope stone road path bath father mother brother feather weather leather ship
    sheep milk wolf wood whale wheel queen quilt box fox yacht yard onion lawyer song ring finger
    king bank drum plum bubble puppy baby mummy cup bus glove oven shoe fruit suit view museum
    piano violin guitar camera computer bicycle engine hammer ladder basket blanket pillow candle
    mirror harbour forest island river"""
)
PLACES = _phrases(
    """in the garden|at the market|by the river|near the old church|behind the house|
    under the bridge|on the beach|above the village|beside the piano|from the museum|
    around the harbour|through the forest|along the narrow road|inside the big blue box|
    over the mountain|between the two trees"""
)
TIMES = _phrases(
    """today|tomorrow morning|every evening|before breakfast|after the journey|last Thursday|
    at half past five|in the winter|this afternoon|once a month|on Saturday|very soon|
    until midnight|all summer long|for a while|now and then"""
)
ADVERBS = _words(
    """quickly slowly usually probably finally always often never really gladly barely
    thoughtfully rarely simply maybe already"""
)
# (base form, past form): both are used, so plural and past sentences are right English.
VERBS = tuple(
    _words(forms)
    for forms in _phrases(
        """find found|buy bought|bring brought|push pushed|pull pulled|move moved|wash
        washed|cook cooked|show showed|watch watched|choose chose|measure measured|paint
        painted|borrow borrowed|build built|carry carried|follow followed|open opened|
        give gave|throw threw|fix fixed|keep kept|enjoy enjoyed|catch caught|save saved|
        need needed|remember remembered|describe described|polish polished|weigh weighed|
        hide hid|wrap wrapped|promise promised|join joined"""
    )
)
SPEECH_VERBS = _words("said thought believed hoped promised knew wished heard")

GRID_COMMANDS = ("bin", "lay", "place", "set")
GRID_COLOURS = ("blue", "green", "red", "white")
GRID_PREPOSITIONS = ("at", "by", "in", "with")
GRID_LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVXYZ")  # W has three syllables: GRID leaves it out
GRID_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GRID_ADVERBS = ("again", "now", "please", "soon")
