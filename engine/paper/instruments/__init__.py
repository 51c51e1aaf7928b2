"""What can be traded at the paper venue, and what the venue itself says of it.

`listing` chooses the instruments from the time; `fees` is the table of what the venue takes; `marks` index, forwards,
mark prices and IVs, as they were last told; `day` what was traded in an instrument over 24 hours.
"""
