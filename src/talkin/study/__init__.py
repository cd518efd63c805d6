"""What people say of the clips: the user study of the paper (B.2, Tables 4 and 5).

config             what a study asks, of which clips, and how it is judged
records            the public manifest, the sealed key, and a rater's answer, checked
selection          which clips of a corpus fill the design, and what is missing
encoding           every clip re-encoded alike; clips that check attention
export             `export_study`: blinded clips in a folder, the key elsewhere
tokens             private links: random, kept only as a hash
database           tables of ratings, on SQLite or PostgreSQL
ratings            `RatingStore`: every answer once, kept before it is acknowledged
protection         what every answer of the server carries, and how large a request may be
server             `study_app`: the page, the clips and the answers
serving            running it
static_form        a folder that needs no server, and reading back what it collected
web/               the page itself
responses          ratings joined with the key, inattentive raters set aside
intervals          bootstrap over raters and clips; Krippendorff's alpha
paper_tables       what the paper published
tables             Tables 4 and 5 of a study
printed            a table as Markdown and as LaTeX
report             `write_study_report`: Markdown, LaTeX and Parquet
"""
