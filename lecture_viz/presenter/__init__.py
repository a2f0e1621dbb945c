"""The lessons' panels full-screen, for the lecture hall: ``make present``.

The same notebooks, served by Voilà: of each, the cells tagged ``present`` run, and the prose is folded away behind a
button. One page, the *hall*, shows a lesson in a frame and warms up the next one in another, hidden frame.
"""

from ..machine import places

places.leave_out_grammar()  # here, since what is in this folder imports Jupyter
