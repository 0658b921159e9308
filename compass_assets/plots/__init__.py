"""Pictures for asset pages, one a file, as inline PNG in Markdown: nothing is fetched to show them.

Each file has a `draw_…` function that fills axes from a table, and a function of the same name
without `draw_` that gives the Markdown. Colours and text are legible on light and dark pages.
"""
