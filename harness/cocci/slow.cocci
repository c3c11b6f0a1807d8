// SPDX-License-Identifier: GPL-2.0-only
/// No rule, but a way to keep spatch busy: it is here to try the time limit.
// Options: --no-includes

virtual report

@r@
expression a, b, c, d;
statement S, T, U;
@@

if (a) S
... when any
if (b) T
... when any
if (c) U
... when any
if (d) S
... when any
* step(...)
