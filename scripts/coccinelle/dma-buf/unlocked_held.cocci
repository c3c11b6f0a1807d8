// SPDX-License-Identifier: GPL-2.0-only
/// A call of the core that takes the reservation lock itself must not be made
/// with that lock held: the _unlocked twins, attach and detach, and the calls
/// that bracket CPU access.
///
//# Followed inside a function from dma_resv_lock(), from a guard of cleanup.h, or
//# from an assertion that the lock is held, to the call, with no unlock in between. Which buffer the lock
//# is for does not matter: to take a second reservation lock without an acquire
//# context is as wrong.
//#
//# Not seen: a lock that the caller took and did not assert, and one taken by a
//# driver's own wrapper.
//#
//# False positives can come from a lock that is taken and dropped under
//# conditions that belong together.
//
// Confidence: High
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

@locked depends on context || org || report exists@
expression l;
position p, q;
@@

(
* dma_resv_lock@p(l, NULL);
|
* dma_resv_lock_slow@p(l, ...);
|
* ww_mutex_lock@p(&l->lock, NULL);
|
* dma_resv_assert_held@p(l);
|
* lockdep_assert_held@p(&l->lock.base);
)
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
(
* dma_buf_attach@q(...)
|
* dma_buf_dynamic_attach@q(...)
|
* dma_buf_detach@q(...)
|
* dma_buf_map_attachment_unlocked@q(...)
|
* dma_buf_unmap_attachment_unlocked@q(...)
|
* dma_buf_try_map_attachment_unlocked@q(...)
|
* dma_buf_get_pfn_unlocked@q(...)
|
* dma_buf_vmap_unlocked@q(...)
|
* dma_buf_vunmap_unlocked@q(...)
|
* dma_buf_begin_cpu_access@q(...)
|
* dma_buf_end_cpu_access@q(...)
|
* dma_resv_lock@q(l, NULL)
|
* dma_resv_lock_interruptible@q(l, NULL)
)

// The lock of a guard is dropped where its block ends.
@initialize:python@
@@

def in_block(p, q):
    first, last = int(p[0].line), int(q[0].line)
    depth = 0
    with open(p[0].file, errors="replace") as source:
        for line in source.readlines()[first:last - 1]:
            for c in line:
                depth += (c == "{") - (c == "}")
                if depth < 0:
                    return False
    return True

@guard_taken@
expression l;
symbol dma_resv;
position p;
@@

guard@p(dma_resv)(l);

@guarded depends on context || org || report exists@
expression l;
symbol dma_resv;
position guard_taken.p;
position q : script:python(p) { in_block(p, q) };
@@

* guard@p(dma_resv)(l);
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
(
* dma_buf_attach@q(...)
|
* dma_buf_dynamic_attach@q(...)
|
* dma_buf_detach@q(...)
|
* dma_buf_map_attachment_unlocked@q(...)
|
* dma_buf_unmap_attachment_unlocked@q(...)
|
* dma_buf_try_map_attachment_unlocked@q(...)
|
* dma_buf_get_pfn_unlocked@q(...)
|
* dma_buf_vmap_unlocked@q(...)
|
* dma_buf_vunmap_unlocked@q(...)
|
* dma_buf_begin_cpu_access@q(...)
|
* dma_buf_end_cpu_access@q(...)
|
* dma_resv_lock@q(l, NULL)
|
* dma_resv_lock_interruptible@q(l, NULL)
)

@scoped depends on context || org || report exists@
expression l;
symbol dma_resv;
iterator name scoped_guard;
position p, q;
@@

* scoped_guard@p(dma_resv, l) {
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
(
* dma_buf_attach@q(...)
|
* dma_buf_dynamic_attach@q(...)
|
* dma_buf_detach@q(...)
|
* dma_buf_map_attachment_unlocked@q(...)
|
* dma_buf_unmap_attachment_unlocked@q(...)
|
* dma_buf_try_map_attachment_unlocked@q(...)
|
* dma_buf_get_pfn_unlocked@q(...)
|
* dma_buf_vmap_unlocked@q(...)
|
* dma_buf_vunmap_unlocked@q(...)
|
* dma_buf_begin_cpu_access@q(...)
|
* dma_buf_end_cpu_access@q(...)
|
* dma_resv_lock@q(l, NULL)
|
* dma_resv_lock_interruptible@q(l, NULL)
)
... when any
}

@tried depends on context || org || report exists@
expression l, r, E;
statement S;
position p, q;
@@

(
* r = dma_resv_lock@p(l, ...)
|
* r = dma_resv_lock_interruptible@p(l, ...)
|
* r = dma_resv_lock_slow_interruptible@p(l, ...)
|
* r = ww_mutex_lock@p(&l->lock, ...)
|
* r = ww_mutex_lock_interruptible@p(&l->lock, ...)
)
... when != dma_resv_unlock(...)
    when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\|r == -EDEADLK\|WARN_ON(r)\|WARN_ON_ONCE(r)\)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
    when any
(
* dma_buf_attach@q(...)
|
* dma_buf_dynamic_attach@q(...)
|
* dma_buf_detach@q(...)
|
* dma_buf_map_attachment_unlocked@q(...)
|
* dma_buf_unmap_attachment_unlocked@q(...)
|
* dma_buf_try_map_attachment_unlocked@q(...)
|
* dma_buf_get_pfn_unlocked@q(...)
|
* dma_buf_vmap_unlocked@q(...)
|
* dma_buf_vunmap_unlocked@q(...)
|
* dma_buf_begin_cpu_access@q(...)
|
* dma_buf_end_cpu_access@q(...)
|
* dma_resv_lock@q(l, NULL)
|
* dma_resv_lock_interruptible@q(l, NULL)
)

@succeeded depends on context || org || report exists@
expression l, r, E;
position p, q;
@@

(
* r = dma_resv_lock@p(l, ...)
|
* r = dma_resv_lock_interruptible@p(l, ...)
|
* r = dma_resv_lock_slow_interruptible@p(l, ...)
)
... when != dma_resv_unlock(...)
    when != r = E
  if (\(!r\|r >= 0\)) {
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
(
* dma_buf_attach@q(...)
|
* dma_buf_dynamic_attach@q(...)
|
* dma_buf_detach@q(...)
|
* dma_buf_map_attachment_unlocked@q(...)
|
* dma_buf_unmap_attachment_unlocked@q(...)
|
* dma_buf_try_map_attachment_unlocked@q(...)
|
* dma_buf_get_pfn_unlocked@q(...)
|
* dma_buf_vmap_unlocked@q(...)
|
* dma_buf_vunmap_unlocked@q(...)
|
* dma_buf_begin_cpu_access@q(...)
|
* dma_buf_end_cpu_access@q(...)
|
* dma_resv_lock@q(l, NULL)
|
* dma_resv_lock_interruptible@q(l, NULL)
)
... when any
  }

@tested depends on context || org || report exists@
expression l;
statement S;
position p, q;
@@

* if (\(unlikely(!dma_resv_trylock@p(l))\|unlikely(dma_resv_lock_interruptible@p(l, ...))\|unlikely(dma_resv_lock_interruptible@p(l, ...) < 0)\)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
(
* dma_buf_attach@q(...)
|
* dma_buf_dynamic_attach@q(...)
|
* dma_buf_detach@q(...)
|
* dma_buf_map_attachment_unlocked@q(...)
|
* dma_buf_unmap_attachment_unlocked@q(...)
|
* dma_buf_try_map_attachment_unlocked@q(...)
|
* dma_buf_get_pfn_unlocked@q(...)
|
* dma_buf_vmap_unlocked@q(...)
|
* dma_buf_vunmap_unlocked@q(...)
|
* dma_buf_begin_cpu_access@q(...)
|
* dma_buf_end_cpu_access@q(...)
|
* dma_resv_lock@q(l, NULL)
|
* dma_resv_lock_interruptible@q(l, NULL)
)

@trylocked depends on context || org || report exists@
expression l, r, E;
statement S;
position p, q;
@@

* r = dma_resv_trylock@p(l)
... when != dma_resv_unlock(...)
    when != r = E
  if (unlikely(!r)) S
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
(
* dma_buf_attach@q(...)
|
* dma_buf_dynamic_attach@q(...)
|
* dma_buf_detach@q(...)
|
* dma_buf_map_attachment_unlocked@q(...)
|
* dma_buf_unmap_attachment_unlocked@q(...)
|
* dma_buf_try_map_attachment_unlocked@q(...)
|
* dma_buf_get_pfn_unlocked@q(...)
|
* dma_buf_vmap_unlocked@q(...)
|
* dma_buf_vunmap_unlocked@q(...)
|
* dma_buf_begin_cpu_access@q(...)
|
* dma_buf_end_cpu_access@q(...)
)

@inside depends on context || org || report exists@
expression l;
statement S;
position p, q;
@@

* if (\(likely(dma_resv_trylock@p(l))\|!dma_resv_lock_interruptible@p(l, ...)\)) {
... when != dma_resv_unlock(...)
    when != ww_mutex_unlock(...)
(
* dma_buf_attach@q(...)
|
* dma_buf_dynamic_attach@q(...)
|
* dma_buf_detach@q(...)
|
* dma_buf_map_attachment_unlocked@q(...)
|
* dma_buf_unmap_attachment_unlocked@q(...)
|
* dma_buf_try_map_attachment_unlocked@q(...)
|
* dma_buf_get_pfn_unlocked@q(...)
|
* dma_buf_vmap_unlocked@q(...)
|
* dma_buf_vunmap_unlocked@q(...)
|
* dma_buf_begin_cpu_access@q(...)
|
* dma_buf_end_cpu_access@q(...)
)
... when any
  } else S

@script:python depends on report@
p << locked.p;
q << locked.q;
@@

msg = "ERROR: takes the reservation lock, which is held since line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << guard_taken.p;
q << guarded.q;
@@

msg = "ERROR: takes the reservation lock, which is held since line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << scoped.p;
q << scoped.q;
@@

msg = "ERROR: takes the reservation lock, which is held since line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << tried.p;
q << tried.q;
@@

msg = "ERROR: takes the reservation lock, which is held since line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << succeeded.p;
q << succeeded.q;
@@

msg = "ERROR: takes the reservation lock, which is held since line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << tested.p;
q << tested.q;
@@

msg = "ERROR: takes the reservation lock, which is held since line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << trylocked.p;
q << trylocked.q;
@@

msg = "ERROR: takes the reservation lock, which is held since line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << inside.p;
q << inside.q;
@@

msg = "ERROR: takes the reservation lock, which is held since line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
p << locked.p;
q << locked.q;
@@

cocci.print_main("reservation lock held", p)
cocci.print_secs("call that takes it", q)

@script:python depends on org@
p << guard_taken.p;
q << guarded.q;
@@

cocci.print_main("reservation lock held", p)
cocci.print_secs("call that takes it", q)

@script:python depends on org@
p << scoped.p;
q << scoped.q;
@@

cocci.print_main("reservation lock held", p)
cocci.print_secs("call that takes it", q)

@script:python depends on org@
p << tried.p;
q << tried.q;
@@

cocci.print_main("reservation lock held", p)
cocci.print_secs("call that takes it", q)

@script:python depends on org@
p << succeeded.p;
q << succeeded.q;
@@

cocci.print_main("reservation lock held", p)
cocci.print_secs("call that takes it", q)

@script:python depends on org@
p << tested.p;
q << tested.q;
@@

cocci.print_main("reservation lock held", p)
cocci.print_secs("call that takes it", q)

@script:python depends on org@
p << trylocked.p;
q << trylocked.q;
@@

cocci.print_main("reservation lock held", p)
cocci.print_secs("call that takes it", q)

@script:python depends on org@
p << inside.p;
q << inside.q;
@@

cocci.print_main("reservation lock held", p)
cocci.print_secs("call that takes it", q)
