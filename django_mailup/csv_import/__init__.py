"""Import recipients of a CSV file.

reader   the file's lines, as recipients
journal  what was sent, so that an interrupted import goes on; the lines that can't be imported
run      import_csv
"""
