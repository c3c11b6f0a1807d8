// SPDX-License-Identifier: GPL-2.0-only
/// A function that takes a reservation lock and drops it again has to drop it
/// on each of its ways out. Nothing else balances these locks: sparse does not
/// know them.
///
//# Reported is a return of an error code that is reached with the lock held, in
//# a function that drops the lock on another way.
//#
//# Not seen: a return of success with the lock held, which may be what the
//# function is for; and a lock that is taken, or dropped, by a driver's own
//# wrapper.
//#
//# False positives can come from a lock that is taken and dropped under
//# conditions that belong together.
//
// Confidence: Moderate
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

// Locked if something holds: it may be unlocked if it holds.
@conditional@
expression c, l;
position p;
@@

if (c)
  \(dma_resv_lock@p(l, NULL)\|ww_mutex_lock@p(&l->lock, NULL)\);

@paired exists@
expression l;
position p != conditional.p;
@@

\(dma_resv_lock@p(l, ...)\|dma_resv_lock_interruptible@p(l, ...)\|dma_resv_trylock@p(l)\|ww_mutex_lock@p(&l->lock, ...)\)
... when any
\(dma_resv_unlock(l)\|ww_mutex_unlock(&l->lock)\)

@sure depends on context || org || report exists@
expression l;
symbol false;
constant C;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

(
* dma_resv_lock@p(l, NULL);
|
* ww_mutex_lock@p(&l->lock, NULL);
)
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
(
* return@q -C;
|
* return@q PTR_ERR(...);
|
* return@q ERR_PTR(...);
|
* return@q ERR_CAST(...);
|
* return@q \(NULL\|false\);
|
* return@q;
)

@tried depends on context || org || report exists@
expression l, r, E;
symbol false;
statement S;
constant C;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

(
* r = dma_resv_lock@p(l, ...)
|
* r = dma_resv_lock_interruptible@p(l, ...)
)
... when != dma_resv_unlock(...)
    when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when any
(
* return@q -C;
|
* return@q PTR_ERR(...);
|
* return@q ERR_PTR(...);
|
* return@q ERR_CAST(...);
|
* return@q \(NULL\|false\);
|
* return@q;
)

@tested depends on context || org || report exists@
expression l;
symbol false;
statement S;
constant C;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

* if (\(unlikely(!dma_resv_trylock@p(l))\|unlikely(dma_resv_lock_interruptible@p(l, ...))\|unlikely(dma_resv_lock_interruptible@p(l, ...) < 0)\)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when any
(
* return@q -C;
|
* return@q PTR_ERR(...);
|
* return@q ERR_PTR(...);
|
* return@q ERR_CAST(...);
|
* return@q \(NULL\|false\);
|
* return@q;
)

@sure_code depends on context || org || report exists@
expression l, e;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

(
* dma_resv_lock@p(l, NULL);
|
* ww_mutex_lock@p(&l->lock, NULL);
)
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
  if (\(unlikely(e)\|unlikely(e < 0)\))
  {
	... when != dma_resv_unlock(...)
	    when != ww_mutex_unlock(...)
	    when != fn(..., l, ...)
* return@q e;
  }

@tried_code depends on context || org || report exists@
expression l, r, e, E;
statement S;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

* r = dma_resv_lock_interruptible@p(l, NULL)
... when != dma_resv_unlock(...)
    when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when any
  if (\(unlikely(e)\|unlikely(e < 0)\))
  {
	... when != dma_resv_unlock(...)
	    when != ww_mutex_unlock(...)
	    when != fn(..., l, ...)
* return@q e;
  }

@tested_code depends on context || org || report exists@
expression l, e;
statement S;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

* if (\(unlikely(!dma_resv_trylock@p(l))\|unlikely(dma_resv_lock_interruptible@p(l, ...))\|unlikely(dma_resv_lock_interruptible@p(l, ...) < 0)\)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when any
  if (\(unlikely(e)\|unlikely(e < 0)\))
  {
	... when != dma_resv_unlock(...)
	    when != ww_mutex_unlock(...)
	    when != fn(..., l, ...)
* return@q e;
  }

// An error code that goes on to the return statement.
@sure_set depends on context || org || report exists@
expression l, e, E;
constant C;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

(
* dma_resv_lock@p(l, NULL);
|
* ww_mutex_lock@p(&l->lock, NULL);
)
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
(
  e = -C
|
  e = PTR_ERR(...)
)
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when != e = E
* return@q e;

@tried_set depends on context || org || report exists@
expression l, r, e, E;
statement S;
constant C;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

* r = dma_resv_lock_interruptible@p(l, NULL)
... when != dma_resv_unlock(...)
    when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when any
(
  e = -C
|
  e = PTR_ERR(...)
)
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when != e = E
* return@q e;

@tested_set depends on context || org || report exists@
expression l, e, E;
statement S;
constant C;
identifier fn !~ "^dma_resv_(assert_held|held|is_locked|reserve_fences|add_fence|wait_timeout|test_signaled|replace_fences|copy_fences|get_fences|get_singleton)$";
position p = paired.p;
position q;
@@

* if (\(unlikely(!dma_resv_trylock@p(l))\|unlikely(dma_resv_lock_interruptible@p(l, ...))\|unlikely(dma_resv_lock_interruptible@p(l, ...) < 0)\)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when any
(
  e = -C
|
  e = PTR_ERR(...)
)
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when != fn(..., l, ...)
    when != e = E
* return@q e;

@script:python depends on report@
p << sure.p;
q << sure.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << tried.p;
q << tried.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << tested.p;
q << tested.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << sure_code.p;
q << sure_code.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << tried_code.p;
q << tried_code.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << tested_code.p;
q << tested_code.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << sure_set.p;
q << sure_set.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << tried_set.p;
q << tried_set.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << tested_set.p;
q << tested_set.q;
@@

msg = "ERROR: missing dma_resv_unlock; locked on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
p << sure.p;
q << sure.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)

@script:python depends on org@
p << tried.p;
q << tried.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)

@script:python depends on org@
p << tested.p;
q << tested.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)

@script:python depends on org@
p << sure_code.p;
q << sure_code.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)

@script:python depends on org@
p << tried_code.p;
q << tried_code.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)

@script:python depends on org@
p << tested_code.p;
q << tested_code.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)

@script:python depends on org@
p << sure_set.p;
q << sure_set.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)

@script:python depends on org@
p << tried_set.p;
q << tried_set.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)

@script:python depends on org@
p << tested_set.p;
q << tested_set.q;
@@

cocci.print_main("reservation lock taken", p)
cocci.print_secs("left without dma_resv_unlock", q)
