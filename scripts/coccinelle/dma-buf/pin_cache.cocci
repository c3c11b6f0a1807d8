// SPDX-License-Identifier: GPL-2.0-only
/// An exporter that pins may move its buffers, so that the core must not keep
/// their mappings: dma_buf_export() refuses a table of callbacks with both pin
/// and cache_sgt_mapping.
///
//# A table may be a variable or a member of one, or be filled in by assignments
//# in one function.
//#
//# Not seen: a table in an array; and one that several functions fill in.
//
// Confidence: High
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

@direct depends on context || org || report@
identifier table, fn != NULL;
symbol true;
position p;
@@

  struct dma_buf_ops table = {
*	.cache_sgt_mapping = \(true@p\|1@p\|!0@p\),
*	.pin = \(fn\|&fn\),
  };

@inside depends on context || org || report@
type T;
identifier table, m, fn != NULL;
symbol true;
position p;
@@

  T table = {
	.m = {
*		.cache_sgt_mapping = \(true@p\|1@p\|!0@p\),
*		.pin = \(fn\|&fn\),
	},
  };

@pointer_last depends on context || org || report exists@
expression x;
identifier fn != NULL;
symbol true;
position p;
@@

  x->pin = \(fn\|&fn\)
... when any
* x->cache_sgt_mapping@p = \(true\|1\)

@pointer_first depends on context || org || report exists@
expression x;
identifier fn != NULL;
symbol true;
position p;
@@

* x->cache_sgt_mapping@p = \(true\|1\)
... when any
  x->pin = \(fn\|&fn\)

@object_last depends on context || org || report exists@
expression x;
identifier fn != NULL;
symbol true;
position p;
@@

  x.pin = \(fn\|&fn\)
... when any
* x.cache_sgt_mapping@p = \(true\|1\)

@object_first depends on context || org || report exists@
expression x;
identifier fn != NULL;
symbol true;
position p;
@@

* x.cache_sgt_mapping@p = \(true\|1\)
... when any
  x.pin = \(fn\|&fn\)

@script:python depends on report@
p << direct.p;
fn << direct.fn;
@@

msg = "ERROR: cache_sgt_mapping together with pin (%s)" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << inside.p;
fn << inside.fn;
@@

msg = "ERROR: cache_sgt_mapping together with pin (%s)" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << pointer_last.p;
fn << pointer_last.fn;
@@

msg = "ERROR: cache_sgt_mapping together with pin (%s)" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << pointer_first.p;
fn << pointer_first.fn;
@@

msg = "ERROR: cache_sgt_mapping together with pin (%s)" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << object_last.p;
fn << object_last.fn;
@@

msg = "ERROR: cache_sgt_mapping together with pin (%s)" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on report@
p << object_first.p;
fn << object_first.fn;
@@

msg = "ERROR: cache_sgt_mapping together with pin (%s)" % (fn)
coccilib.report.print_report(p[0], msg)

@script:python depends on org@
p << direct.p;
@@

cocci.print_main("cache_sgt_mapping together with pin", p)

@script:python depends on org@
p << inside.p;
@@

cocci.print_main("cache_sgt_mapping together with pin", p)

@script:python depends on org@
p << pointer_last.p;
@@

cocci.print_main("cache_sgt_mapping together with pin", p)

@script:python depends on org@
p << pointer_first.p;
@@

cocci.print_main("cache_sgt_mapping together with pin", p)

@script:python depends on org@
p << object_last.p;
@@

cocci.print_main("cache_sgt_mapping together with pin", p)

@script:python depends on org@
p << object_first.p;
@@

cocci.print_main("cache_sgt_mapping together with pin", p)
