// SPDX-License-Identifier: GPL-2.0-only
/// The core holds the reservation lock of the buffer around an exporter's pin,
/// unpin, map_dma_buf, try_map_dma_buf, unmap_dma_buf, vmap, vunmap and
/// get_pfn, and around an importer's move_notify. Such a callback must not take
/// that lock, not through a function that is called unlocked either, and it
/// must not drop it.
///
//# Looked at are the callbacks, the functions of the same file that they call,
//# and those that these call. A lock that is taken with an acquire context is left alone,
//# as is a trylock: both are for memory of others that has to make way.
//#
//# What struct drm_gem_object_funcs has as pin, unpin, get_sg_table, vmap and
//# vunmap is what the callbacks of DRM's helpers call, with the lock.
//#
//# The functions that an exporter's callback calls may serve imported buffers,
//# too, and lock those: there only the lock itself counts, not the unlocked
//# calls of dma_buf_*().
//#
//# Not seen: what lies deeper, or in another file; a callback that a function
//# assigns.
//
// Confidence: High
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

@cb@
identifier table, fn;
identifier member =~ "^(pin|unpin|map_dma_buf|try_map_dma_buf|unmap_dma_buf|vmap|vunmap|get_pfn)$";
identifier helper =~ "^(pin|unpin|get_sg_table|vmap|vunmap)$";
@@

(
  struct dma_buf_ops table = { .member = \(fn\|&fn\), };
|
  struct virtio_dma_buf_ops table = { .ops = { .member = \(fn\|&fn\), }, };
|
  struct drm_gem_object_funcs table = { .helper = \(fn\|&fn\), };
)

@notify@
identifier table, fn;
@@

  struct dma_buf_attach_ops table = { .move_notify = \(fn\|&fn\), };

@callee@
identifier cb.fn, f;
@@

  fn(...)
  {
	<+...
	f(...)
	...+>
  }

@callee_deep@
identifier callee.f, g;
@@

  f(...)
  {
	<+...
	g(...)
	...+>
  }

@nested@
identifier notify.fn, f;
@@

  fn(...)
  {
	<+...
	f(...)
	...+>
  }

@nested_deep@
identifier nested.f, g;
@@

  f(...)
  {
	<+...
	g(...)
	...+>
  }

@in_cb depends on context || org || report exists@
identifier cb.fn;
expression l;
symbol dma_resv;
position p;
@@

  fn(...)
  {
	... when any
(
* dma_resv_lock@p(..., NULL)
|
* dma_resv_lock_interruptible@p(..., NULL)
|
* ww_mutex_lock@p(&l->lock, NULL)
|
* ww_mutex_lock_interruptible@p(&l->lock, NULL)
|
* guard@p(dma_resv)(l)
|
* dma_buf_attach@p(...)
|
* dma_buf_dynamic_attach@p(...)
|
* dma_buf_detach@p(...)
|
* dma_buf_map_attachment_unlocked@p(...)
|
* dma_buf_unmap_attachment_unlocked@p(...)
|
* dma_buf_try_map_attachment_unlocked@p(...)
|
* dma_buf_get_pfn_unlocked@p(...)
|
* dma_buf_vmap_unlocked@p(...)
|
* dma_buf_vunmap_unlocked@p(...)
|
* dma_buf_begin_cpu_access@p(...)
|
* dma_buf_end_cpu_access@p(...)
|
* drm_gem_pin@p(...)
|
* drm_gem_unpin@p(...)
|
* drm_gem_vmap_unlocked@p(...)
|
* drm_gem_vunmap_unlocked@p(...)
)
	... when any
  }

@in_cb_scoped depends on context || org || report exists@
identifier cb.fn;
expression l;
symbol dma_resv;
iterator name scoped_guard;
statement S;
position p;
@@

  fn(...)
  {
	... when any
* scoped_guard@p(dma_resv, l) S
	... when any
  }

@in_cb_drops depends on context || org || report exists@
identifier cb.fn;
expression l;
position p;
@@

  fn(...)
  {
	... when != dma_resv_lock(l, ...)
	    when != dma_resv_lock_interruptible(l, ...)
	    when != dma_resv_lock_slow(l, ...)
	    when != dma_resv_lock_slow_interruptible(l, ...)
	    when != dma_resv_trylock(l)
* dma_resv_unlock@p(l)
	... when any
  }

@in_cb_drops_mutex depends on context || org || report exists@
identifier cb.fn;
expression l;
position p;
@@

  fn(...)
  {
	... when != ww_mutex_lock(&l->lock, ...)
	    when != ww_mutex_lock_interruptible(&l->lock, ...)
	    when != ww_mutex_lock_slow(&l->lock, ...)
	    when != ww_mutex_trylock(&l->lock, ...)
	    when != dma_resv_lock(l, ...)
	    when != dma_resv_trylock(l)
* ww_mutex_unlock@p(&l->lock)
	... when any
  }

@in_callee depends on context || org || report exists@
identifier callee.f;
expression l;
symbol dma_resv;
position p;
@@

  f(...)
  {
	... when any
(
* dma_resv_lock@p(..., NULL)
|
* dma_resv_lock_interruptible@p(..., NULL)
|
* ww_mutex_lock@p(&l->lock, NULL)
|
* ww_mutex_lock_interruptible@p(&l->lock, NULL)
|
* guard@p(dma_resv)(l)
|
* drm_gem_pin@p(...)
|
* drm_gem_unpin@p(...)
|
* drm_gem_vmap_unlocked@p(...)
|
* drm_gem_vunmap_unlocked@p(...)
)
	... when any
  }

@in_callee_scoped depends on context || org || report exists@
identifier callee.f;
expression l;
symbol dma_resv;
iterator name scoped_guard;
statement S;
position p;
@@

  f(...)
  {
	... when any
* scoped_guard@p(dma_resv, l) S
	... when any
  }

@in_callee_drops depends on context || org || report exists@
identifier callee.f;
expression l;
position p;
@@

  f(...)
  {
	... when != dma_resv_lock(l, ...)
	    when != dma_resv_lock_interruptible(l, ...)
	    when != dma_resv_lock_slow(l, ...)
	    when != dma_resv_lock_slow_interruptible(l, ...)
	    when != dma_resv_trylock(l)
* dma_resv_unlock@p(l)
	... when any
  }

@in_callee_drops_mutex depends on context || org || report exists@
identifier callee.f;
expression l;
position p;
@@

  f(...)
  {
	... when != ww_mutex_lock(&l->lock, ...)
	    when != ww_mutex_lock_interruptible(&l->lock, ...)
	    when != ww_mutex_lock_slow(&l->lock, ...)
	    when != ww_mutex_trylock(&l->lock, ...)
	    when != dma_resv_lock(l, ...)
	    when != dma_resv_trylock(l)
* ww_mutex_unlock@p(&l->lock)
	... when any
  }

@in_callee_deep depends on context || org || report exists@
identifier callee_deep.g;
expression l;
symbol dma_resv;
position p;
@@

  g(...)
  {
	... when any
(
* dma_resv_lock@p(..., NULL)
|
* dma_resv_lock_interruptible@p(..., NULL)
|
* ww_mutex_lock@p(&l->lock, NULL)
|
* ww_mutex_lock_interruptible@p(&l->lock, NULL)
|
* guard@p(dma_resv)(l)
|
* drm_gem_pin@p(...)
|
* drm_gem_unpin@p(...)
|
* drm_gem_vmap_unlocked@p(...)
|
* drm_gem_vunmap_unlocked@p(...)
)
	... when any
  }

@in_callee_deep_scoped depends on context || org || report exists@
identifier callee_deep.g;
expression l;
symbol dma_resv;
iterator name scoped_guard;
statement S;
position p;
@@

  g(...)
  {
	... when any
* scoped_guard@p(dma_resv, l) S
	... when any
  }

@in_callee_deep_drops depends on context || org || report exists@
identifier callee_deep.g;
expression l;
position p;
@@

  g(...)
  {
	... when != dma_resv_lock(l, ...)
	    when != dma_resv_lock_interruptible(l, ...)
	    when != dma_resv_lock_slow(l, ...)
	    when != dma_resv_lock_slow_interruptible(l, ...)
	    when != dma_resv_trylock(l)
* dma_resv_unlock@p(l)
	... when any
  }

@in_callee_deep_drops_mutex depends on context || org || report exists@
identifier callee_deep.g;
expression l;
position p;
@@

  g(...)
  {
	... when != ww_mutex_lock(&l->lock, ...)
	    when != ww_mutex_lock_interruptible(&l->lock, ...)
	    when != ww_mutex_lock_slow(&l->lock, ...)
	    when != ww_mutex_trylock(&l->lock, ...)
	    when != dma_resv_lock(l, ...)
	    when != dma_resv_trylock(l)
* ww_mutex_unlock@p(&l->lock)
	... when any
  }

@in_notify depends on context || org || report exists@
identifier notify.fn;
expression l;
symbol dma_resv;
position p;
@@

  fn(...)
  {
	... when any
(
* dma_resv_lock@p(..., NULL)
|
* dma_resv_lock_interruptible@p(..., NULL)
|
* ww_mutex_lock@p(&l->lock, NULL)
|
* ww_mutex_lock_interruptible@p(&l->lock, NULL)
|
* guard@p(dma_resv)(l)
|
* dma_buf_attach@p(...)
|
* dma_buf_dynamic_attach@p(...)
|
* dma_buf_detach@p(...)
|
* dma_buf_map_attachment_unlocked@p(...)
|
* dma_buf_unmap_attachment_unlocked@p(...)
|
* dma_buf_try_map_attachment_unlocked@p(...)
|
* dma_buf_get_pfn_unlocked@p(...)
|
* dma_buf_vmap_unlocked@p(...)
|
* dma_buf_vunmap_unlocked@p(...)
|
* dma_buf_begin_cpu_access@p(...)
|
* dma_buf_end_cpu_access@p(...)
|
* drm_gem_pin@p(...)
|
* drm_gem_unpin@p(...)
|
* drm_gem_vmap_unlocked@p(...)
|
* drm_gem_vunmap_unlocked@p(...)
)
	... when any
  }

@in_notify_scoped depends on context || org || report exists@
identifier notify.fn;
expression l;
symbol dma_resv;
iterator name scoped_guard;
statement S;
position p;
@@

  fn(...)
  {
	... when any
* scoped_guard@p(dma_resv, l) S
	... when any
  }

@in_notify_drops depends on context || org || report exists@
identifier notify.fn;
expression l;
position p;
@@

  fn(...)
  {
	... when != dma_resv_lock(l, ...)
	    when != dma_resv_lock_interruptible(l, ...)
	    when != dma_resv_lock_slow(l, ...)
	    when != dma_resv_lock_slow_interruptible(l, ...)
	    when != dma_resv_trylock(l)
* dma_resv_unlock@p(l)
	... when any
  }

@in_notify_drops_mutex depends on context || org || report exists@
identifier notify.fn;
expression l;
position p;
@@

  fn(...)
  {
	... when != ww_mutex_lock(&l->lock, ...)
	    when != ww_mutex_lock_interruptible(&l->lock, ...)
	    when != ww_mutex_lock_slow(&l->lock, ...)
	    when != ww_mutex_trylock(&l->lock, ...)
	    when != dma_resv_lock(l, ...)
	    when != dma_resv_trylock(l)
* ww_mutex_unlock@p(&l->lock)
	... when any
  }

@in_nested depends on context || org || report exists@
identifier nested.f;
expression l;
symbol dma_resv;
position p;
@@

  f(...)
  {
	... when any
(
* dma_resv_lock@p(..., NULL)
|
* dma_resv_lock_interruptible@p(..., NULL)
|
* ww_mutex_lock@p(&l->lock, NULL)
|
* ww_mutex_lock_interruptible@p(&l->lock, NULL)
|
* guard@p(dma_resv)(l)
|
* dma_buf_attach@p(...)
|
* dma_buf_dynamic_attach@p(...)
|
* dma_buf_detach@p(...)
|
* dma_buf_map_attachment_unlocked@p(...)
|
* dma_buf_unmap_attachment_unlocked@p(...)
|
* dma_buf_try_map_attachment_unlocked@p(...)
|
* dma_buf_get_pfn_unlocked@p(...)
|
* dma_buf_vmap_unlocked@p(...)
|
* dma_buf_vunmap_unlocked@p(...)
|
* dma_buf_begin_cpu_access@p(...)
|
* dma_buf_end_cpu_access@p(...)
|
* drm_gem_pin@p(...)
|
* drm_gem_unpin@p(...)
|
* drm_gem_vmap_unlocked@p(...)
|
* drm_gem_vunmap_unlocked@p(...)
)
	... when any
  }

@in_nested_scoped depends on context || org || report exists@
identifier nested.f;
expression l;
symbol dma_resv;
iterator name scoped_guard;
statement S;
position p;
@@

  f(...)
  {
	... when any
* scoped_guard@p(dma_resv, l) S
	... when any
  }

@in_nested_drops depends on context || org || report exists@
identifier nested.f;
expression l;
position p;
@@

  f(...)
  {
	... when != dma_resv_lock(l, ...)
	    when != dma_resv_lock_interruptible(l, ...)
	    when != dma_resv_lock_slow(l, ...)
	    when != dma_resv_lock_slow_interruptible(l, ...)
	    when != dma_resv_trylock(l)
* dma_resv_unlock@p(l)
	... when any
  }

@in_nested_drops_mutex depends on context || org || report exists@
identifier nested.f;
expression l;
position p;
@@

  f(...)
  {
	... when != ww_mutex_lock(&l->lock, ...)
	    when != ww_mutex_lock_interruptible(&l->lock, ...)
	    when != ww_mutex_lock_slow(&l->lock, ...)
	    when != ww_mutex_trylock(&l->lock, ...)
	    when != dma_resv_lock(l, ...)
	    when != dma_resv_trylock(l)
* ww_mutex_unlock@p(&l->lock)
	... when any
  }

@in_nested_deep depends on context || org || report exists@
identifier nested_deep.g;
expression l;
symbol dma_resv;
position p;
@@

  g(...)
  {
	... when any
(
* dma_resv_lock@p(..., NULL)
|
* dma_resv_lock_interruptible@p(..., NULL)
|
* ww_mutex_lock@p(&l->lock, NULL)
|
* ww_mutex_lock_interruptible@p(&l->lock, NULL)
|
* guard@p(dma_resv)(l)
|
* dma_buf_attach@p(...)
|
* dma_buf_dynamic_attach@p(...)
|
* dma_buf_detach@p(...)
|
* dma_buf_map_attachment_unlocked@p(...)
|
* dma_buf_unmap_attachment_unlocked@p(...)
|
* dma_buf_try_map_attachment_unlocked@p(...)
|
* dma_buf_get_pfn_unlocked@p(...)
|
* dma_buf_vmap_unlocked@p(...)
|
* dma_buf_vunmap_unlocked@p(...)
|
* dma_buf_begin_cpu_access@p(...)
|
* dma_buf_end_cpu_access@p(...)
|
* drm_gem_pin@p(...)
|
* drm_gem_unpin@p(...)
|
* drm_gem_vmap_unlocked@p(...)
|
* drm_gem_vunmap_unlocked@p(...)
)
	... when any
  }

@in_nested_deep_scoped depends on context || org || report exists@
identifier nested_deep.g;
expression l;
symbol dma_resv;
iterator name scoped_guard;
statement S;
position p;
@@

  g(...)
  {
	... when any
* scoped_guard@p(dma_resv, l) S
	... when any
  }

@in_nested_deep_drops depends on context || org || report exists@
identifier nested_deep.g;
expression l;
position p;
@@

  g(...)
  {
	... when != dma_resv_lock(l, ...)
	    when != dma_resv_lock_interruptible(l, ...)
	    when != dma_resv_lock_slow(l, ...)
	    when != dma_resv_lock_slow_interruptible(l, ...)
	    when != dma_resv_trylock(l)
* dma_resv_unlock@p(l)
	... when any
  }

@in_nested_deep_drops_mutex depends on context || org || report exists@
identifier nested_deep.g;
expression l;
position p;
@@

  g(...)
  {
	... when != ww_mutex_lock(&l->lock, ...)
	    when != ww_mutex_lock_interruptible(&l->lock, ...)
	    when != ww_mutex_lock_slow(&l->lock, ...)
	    when != ww_mutex_trylock(&l->lock, ...)
	    when != dma_resv_lock(l, ...)
	    when != dma_resv_trylock(l)
* ww_mutex_unlock@p(&l->lock)
	... when any
  }

@script:python depends on report@
p << in_cb.p;
who << cb.fn;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_cb.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_cb_scoped.p;
who << cb.fn;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_cb_scoped.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_cb_drops.p;
who << cb.fn;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_cb_drops.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_cb_drops_mutex.p;
who << cb.fn;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_cb_drops_mutex.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_callee.p;
who << callee.f;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_callee.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_callee_scoped.p;
who << callee.f;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_callee_scoped.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_callee_drops.p;
who << callee.f;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_callee_drops.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_callee_drops_mutex.p;
who << callee.f;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_callee_drops_mutex.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_callee_deep.p;
who << callee_deep.g;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_callee_deep.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_callee_deep_scoped.p;
who << callee_deep.g;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_callee_deep_scoped.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_callee_deep_drops.p;
who << callee_deep.g;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_callee_deep_drops.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_callee_deep_drops_mutex.p;
who << callee_deep.g;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_callee_deep_drops_mutex.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_notify.p;
who << notify.fn;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_notify.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_notify_scoped.p;
who << notify.fn;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_notify_scoped.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_notify_drops.p;
who << notify.fn;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_notify_drops.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_notify_drops_mutex.p;
who << notify.fn;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_notify_drops_mutex.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_nested.p;
who << nested.f;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_nested.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_nested_scoped.p;
who << nested.f;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_nested_scoped.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_nested_drops.p;
who << nested.f;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_nested_drops.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_nested_drops_mutex.p;
who << nested.f;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_nested_drops_mutex.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_nested_deep.p;
who << nested_deep.g;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_nested_deep.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_nested_deep_scoped.p;
who << nested_deep.g;
@@

msg = "ERROR: %s() takes the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_nested_deep_scoped.p;
@@

cocci.print_main("lock that the caller holds", p)

@script:python depends on report@
p << in_nested_deep_drops.p;
who << nested_deep.g;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_nested_deep_drops.p;
@@

cocci.print_main("lock of the caller is dropped", p)

@script:python depends on report@
p << in_nested_deep_drops_mutex.p;
who << nested_deep.g;
@@

msg = "ERROR: %s() drops the reservation lock, which its caller holds" % (who)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << in_nested_deep_drops_mutex.p;
@@

cocci.print_main("lock of the caller is dropped", p)
