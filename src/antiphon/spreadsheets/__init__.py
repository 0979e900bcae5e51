"""Tables that people wrote, by hand or with a spreadsheet: CSV and its kin, and Parquet."""

from antiphon.spreadsheets.spreadsheet import Row, Spreadsheet, is_spreadsheet, read_spreadsheet

__all__ = ["Row", "Spreadsheet", "is_spreadsheet", "read_spreadsheet"]
