// SPDX-License-Identifier: GPL-2.0-only
/// A dynamic importer that does not pin has to follow its exporter: a mapping
/// that it makes is good as long as it holds the reservation lock, and after
/// that until move_notify. The callback must let go of the mapping, and must not
/// make a new one, which would be of the place that the buffer is leaving.
///
//# Looked at are files that call dma_buf_dynamic_attach() with callbacks, and
//# never dma_buf_pin(): a use of the table, in the function that mapped it,
//# after the lock was dropped; a mapping by an _unlocked call, which has none;
//# a move_notify that does nothing with its attachment but to print it; a
//# mapping inside move_notify.
//#
//# Not seen: a table that is stored and used by another function without a look
//# at what move_notify left behind, and what move_notify's helpers do.
//#
//# False positives can come from an importer whose exporters never move.
//
// Confidence: Moderate
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

@dynamic@
expression dmabuf, dev, ops != NULL, priv;
position p;
@@

dma_buf_dynamic_attach@p(dmabuf, dev, ops, priv)

@pins@
position p;
@@

dma_buf_pin@p(...)

@notify@
identifier table, fn;
@@

  struct dma_buf_attach_ops table = { .move_notify = \(fn\|&fn\), };

@kept depends on dynamic && !pins && (context || org || report) exists@
expression s, a, E;
identifier m;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|PTR_ERR_OR_ZERO|ERR_CAST|WARN[A-Z_]*|dev_[a-z_]+|pr_[a-z_]+|dma_buf_unmap_attachment(_unlocked)?)$";
position p, u, q;
@@

* s = \(dma_buf_map_attachment@p\|dma_buf_try_map_attachment@p\)(a, ...)
... when != dma_buf_unmap_attachment(a, ...)
    when != s = E
(
* dma_resv_unlock@u(...)
|
* ww_mutex_unlock@u(...)
)
... when != s = E
    when != dma_buf_unmap_attachment(a, ...)
    when != dma_buf_unmap_attachment_unlocked(a, ...)
(
* s->m@q
|
* fn@q(..., s, ...)
)

@walked depends on dynamic && !pins && (context || org || report) exists@
expression s, a, E;
statement S;
iterator name for_each_sgtable_dma_sg, for_each_sgtable_sg, for_each_sgtable_dma_page, for_each_sgtable_page;
position p, u, q;
@@

* s = \(dma_buf_map_attachment@p\|dma_buf_try_map_attachment@p\)(a, ...)
... when != dma_buf_unmap_attachment(a, ...)
    when != s = E
(
* dma_resv_unlock@u(...)
|
* ww_mutex_unlock@u(...)
)
... when != s = E
    when != dma_buf_unmap_attachment(a, ...)
    when != dma_buf_unmap_attachment_unlocked(a, ...)
(
* for_each_sgtable_dma_sg@q(s, ...) S
|
* for_each_sgtable_sg@q(s, ...) S
|
* for_each_sgtable_dma_page@q(s, ...) S
|
* for_each_sgtable_page@q(s, ...) S
)

@unlocked depends on dynamic && !pins && (context || org || report)@
position p;
@@

* \(dma_buf_map_attachment_unlocked@p\|dma_buf_try_map_attachment_unlocked@p\)(...)

// A message does not count as a look.
@looks exists@
identifier notify.fn, a, m;
identifier f !~ "^(dev_[a-z_]+|pr_[a-z_]+|printk|WARN[A-Z_]*|trace_[a-z0-9_]+)$";
expression x;
@@

  fn(struct dma_buf_attachment *a)
  {
	... when any
(
	f(..., <+... a ...+>, ...)
|
	x = <+... a ...+>
|
	a->m = x
)
	... when any
  }

@ignores depends on dynamic && !pins && !looks && (context || org || report)@
identifier notify.fn, a;
position p;
@@

* fn@p(struct dma_buf_attachment *a)
  {
	...
  }

@maps depends on context || org || report exists@
identifier notify.fn;
position p;
@@

  fn(...)
  {
	... when any
* \(dma_buf_map_attachment@p\|dma_buf_try_map_attachment@p\|dma_buf_map_attachment_unlocked@p\|dma_buf_try_map_attachment_unlocked@p\)(...)
	... when any
  }

@script:python depends on report@
p << kept.p;
u << kept.u;
q << kept.q;
@@

msg = "ERROR: the mapping of line %s can be stale since the unlock on line %s" % (p[0].line, u[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << walked.p;
u << walked.u;
q << walked.q;
@@

msg = "ERROR: the mapping of line %s can be stale since the unlock on line %s" % (p[0].line, u[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << unlocked.p;
@@

msg = "ERROR: a dynamic importer maps without the lock and without a pin: the mapping can be stale at once"
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << ignores.p;
fn << notify.fn;
@@

msg = "ERROR: %s() does not look at what moves, and nothing is pinned" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << maps.p;
fn << notify.fn;
@@

msg = "ERROR: %s() maps what is about to move" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << kept.p;
q << kept.q;
@@

cocci.print_main("mapping", p)
cocci.print_secs("used after the lock was dropped", q)

@script:python depends on org@
p << walked.p;
q << walked.q;
@@

cocci.print_main("mapping", p)
cocci.print_secs("used after the lock was dropped", q)

@script:python depends on org@
p << unlocked.p;
@@

cocci.print_main("mapping of a dynamic importer without lock and pin", p)

@script:python depends on org@
p << ignores.p;
@@

cocci.print_main("move_notify without effect", p)

@script:python depends on org@
p << maps.p;
@@

cocci.print_main("mapping inside move_notify", p)
