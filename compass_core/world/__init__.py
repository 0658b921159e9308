"""The sample world: a small invented world in nine real languages, to run the whole graph on.

How it comes about, in plain words:

1. *Things and facts.* There are 20 topics of daily life (farming, health, law, fishing, ...). Each
   has six things with invented names (the clinic Tevafa, the bank Niluni) and three questions that
   can be asked of each (a clinic's vaccination day, room number, doctor). A seeded draw gives each
   question its answer: 360 facts. Days, months, colours, animals, materials and foods are words
   that every language has its own of; names, towns and numbers are written the same everywhere.
2. *Sentences.* Written by hand for each of the nine languages are the nouns, the questions, three
   remarks a topic and six ways to ask. A row is a remark (three times in four) and a question,
   and its answer is a word or two. Two of the six ways are set aside for each fact, one for dev
   items and one for test items, in all languages: no corpus, log or lesson ever uses them.
3. *The auxiliary pool*: 8,000 rows in nine languages, mostly English, Portuguese and Indonesian,
   little in the target languages; nine in eleven are on the ten topics the base model knows.
4. *Each target language* (Swahili, Hindi, Arabic, Thai) has a training corpus of 400 rows on six
   topics, and 30 days of logs, about 40 prompts a day. Until 20 January users ask mostly about
   those six; from 21 January more than half is on five other topics, which the base model was
   never taught and the training corpus does not cover: the semantic gap.
5. *Benchmark items* follow what users ask after the shift. The three wrong choices are of the same
   kind as the right one (other days, other animals), so guessing gives 25 %.
6. *The models.* The embedder is trained on questions that ask the same in two languages; the base
   model on the facts of ten topics in all languages, on questions about the other ten with answers
   drawn at random (so it knows how to answer, not what), and on reading a note in one language and
   answering in another.

A gap can be filled only by learning facts, mostly from rows in other languages; that targeted rows
do so better than random ones is measured, never built into a score.

`generate.write_sample_project` writes the files, `generate.write_log_day` one more day of logs, and
`python -m compass_core.world.make_models` remakes the models. Importing this package, or
`generate`, loads neither torch nor transformers.
"""
