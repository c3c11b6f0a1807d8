// SPDX-License-Identifier: GPL-2.0-only
/// An exporter does not pin inside its vmap callback. Whoever maps a buffer
/// into the kernel keeps the mapping from going stale itself: it holds the
/// reservation lock, has a pin, or follows move_notify.
///
//# Looked at are the callback, the functions of the same file that it calls, and
//# those that these call, for a call with the word "pin" in its name and for a
//# pin count that goes up.
//#
//# What struct drm_gem_object_funcs has as vmap is what drm_gem_dmabuf_vmap()
//# calls, so it counts as one.
//#
//# Not seen: what lies deeper, or in another file.
//#
//# False positives are functions that bear the name but only look at pages
//# that stay where they are anyway.
//
// Confidence: Moderate
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

@cb@
identifier table, fn;
@@

(
  struct dma_buf_ops table = { .vmap = \(fn\|&fn\), };
|
  struct virtio_dma_buf_ops table = { .ops = { .vmap = \(fn\|&fn\), }, };
|
  struct drm_gem_object_funcs table = { .vmap = \(fn\|&fn\), };
)

@callee@
identifier cb.fn, f;
@@

  fn(...)
  {
	<+...
	f(...)
	...+>
  }

@deep@
identifier callee.f, g;
@@

  f(...)
  {
	<+...
	g(...)
	...+>
  }

@in_cb depends on context || org || report exists@
identifier cb.fn;
identifier pin =~ "(^|_)pin(_|$)";
identifier count =~ "(^|_)pin(s|_count|_cnt|count|cnt|ned)?$";
identifier inc =~ "^(atomic|refcount|atomic_long|kref|percpu_ref)_(inc|get|inc_not_zero|add|inc_return)$";
expression x;
position p;
@@

  fn(...)
  {
	... when any
(
* pin@p(...)
|
* x->pin@p(...)
|
* x->count@p++
|
* ++x->count@p
|
* x->count@p += ...
|
* x->count@p = x->count + ...
|
* inc@p(&x->count)
|
* inc@p(..., &x->count)
)
	... when any
  }

@in_callee depends on context || org || report exists@
identifier callee.f;
identifier pin =~ "(^|_)pin(_|$)";
identifier count =~ "(^|_)pin(s|_count|_cnt|count|cnt|ned)?$";
identifier inc =~ "^(atomic|refcount|atomic_long|kref|percpu_ref)_(inc|get|inc_not_zero|add|inc_return)$";
expression x;
position p;
@@

  f(...)
  {
	... when any
(
* pin@p(...)
|
* x->pin@p(...)
|
* x->count@p++
|
* ++x->count@p
|
* x->count@p += ...
|
* x->count@p = x->count + ...
|
* inc@p(&x->count)
|
* inc@p(..., &x->count)
)
	... when any
  }

@in_deep depends on context || org || report exists@
identifier deep.g;
identifier pin =~ "(^|_)pin(_|$)";
identifier count =~ "(^|_)pin(s|_count|_cnt|count|cnt|ned)?$";
identifier inc =~ "^(atomic|refcount|atomic_long|kref|percpu_ref)_(inc|get|inc_not_zero|add|inc_return)$";
expression x;
position p;
@@

  g(...)
  {
	... when any
(
* pin@p(...)
|
* x->pin@p(...)
|
* x->count@p++
|
* ++x->count@p
|
* x->count@p += ...
|
* x->count@p = x->count + ...
|
* inc@p(&x->count)
|
* inc@p(..., &x->count)
)
	... when any
  }

@script:python depends on report@
p << in_cb.p;
fn << cb.fn;
@@

msg = "ERROR: the vmap callback %s() pins" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << in_callee.p;
f << callee.f;
@@

msg = "ERROR: %s() is called by a vmap callback and pins" % (f)
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << in_deep.p;
f << deep.g;
@@

msg = "ERROR: %s() is called by a vmap callback and pins" % (f)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_cb.p;
@@

cocci.print_main("pin inside vmap", p)

@script:python depends on org@
p << in_callee.p;
@@

cocci.print_main("pin inside vmap", p)

@script:python depends on org@
p << in_deep.p;
@@

cocci.print_main("pin inside vmap", p)
