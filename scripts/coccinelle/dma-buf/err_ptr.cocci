// SPDX-License-Identifier: GPL-2.0-only
/// What makes or looks up a dma-buf object reports failure in one of two ways:
/// by an ERR_PTR() or by NULL. A test for the other one never fires.
///
//# Follows a result from the call to the first test of it in the same function,
//# or in the same expression.
//#
//# Not seen: a result that is tested by a helper or in another function, and
//# one that is not tested at all.
//
// Confidence: High
// Comments: IS_ERR_OR_NULL() catches both and is not reported.
// Options: --no-includes

virtual patch
virtual context
virtual org
virtual report

@both@
expression x;
position t;
@@

(
 !x@t || IS_ERR(x)
|
 IS_ERR(x@t) || !x
|
 x@t && !IS_ERR(x)
|
 !IS_ERR(x@t) && x
)

// Tested where it is assigned.
@inside@
expression x;
position i;
@@

(
 \(IS_ERR\|IS_ERR_OR_NULL\|PTR_ERR_OR_ZERO\)(x = \(dma_buf_export@i\|dma_buf_get@i\|dma_buf_attach@i\|dma_buf_dynamic_attach@i\|dma_buf_map_attachment@i\|dma_buf_map_attachment_unlocked@i\|dma_buf_try_map_attachment@i\|dma_buf_try_map_attachment_unlocked@i\|dma_heap_add@i\)(...))
|
 (x = \(sync_file_create@i\|sync_file_get_fence@i\|dma_fence_unwrap_merge@i\|dma_fence_array_alloc@i\|dma_fence_array_create@i\|dma_fence_chain_alloc@i\|dma_fence_allocate_private_stub@i\|dma_fence_get_rcu@i\|dma_fence_get_rcu_safe@i\)(...)) == NULL
|
 (x = \(sync_file_create@i\|sync_file_get_fence@i\|dma_fence_unwrap_merge@i\|dma_fence_array_alloc@i\|dma_fence_array_create@i\|dma_fence_chain_alloc@i\|dma_fence_allocate_private_stub@i\|dma_fence_get_rcu@i\|dma_fence_get_rcu_safe@i\)(...)) != NULL
)

@depends on patch@
expression x, E;
position p != both.t;
position c != inside.i;
@@

  x = \(dma_buf_export@c\|dma_buf_get@c\|dma_buf_attach@c\|dma_buf_dynamic_attach@c\|dma_buf_map_attachment@c\|dma_buf_map_attachment_unlocked@c\|dma_buf_try_map_attachment@c\|dma_buf_try_map_attachment_unlocked@c\|dma_heap_add@c\)(...)
  ... when != x = E
      when != IS_ERR(x)
      when != IS_ERR_OR_NULL(x)
      when != PTR_ERR_OR_ZERO(x)
(
- x@p == NULL
+ IS_ERR(x)
|
- x@p != NULL
+ !IS_ERR(x)
|
- x@p == 0
+ IS_ERR(x)
|
- x@p != 0
+ !IS_ERR(x)
)

@depends on patch@
expression x, E;
position p != both.t;
position c != inside.i;
@@

  x = \(sync_file_create@c\|sync_file_get_fence@c\|dma_fence_unwrap_merge@c\|dma_fence_array_alloc@c\|dma_fence_array_create@c\|dma_fence_chain_alloc@c\|dma_fence_allocate_private_stub@c\|dma_fence_get_rcu@c\|dma_fence_get_rcu_safe@c\)(...)
  ... when != x = E
      when != x == NULL
      when != x != NULL
      when != IS_ERR_OR_NULL(x)
(
- IS_ERR(x@p)
+ !x
|
- PTR_ERR_OR_ZERO(x@p)
+ (x ? 0 : -ENOMEM)
)

@depends on patch@
expression x;
expression list es;
identifier f =~ "^(dma_buf_(export|get|attach|dynamic_attach|(try_)?map_attachment(_unlocked)?)|dma_heap_add)$";
@@

(
- (x = f(es)) == NULL
+ IS_ERR(x = f(es))
|
- (x = f(es)) != NULL
+ !IS_ERR(x = f(es))
|
- f(es) == NULL
+ IS_ERR(f(es))
|
- f(es) != NULL
+ !IS_ERR(f(es))
)

@depends on patch@
expression x;
expression list es;
identifier f =~ "^(sync_file_(create|get_fence)|dma_fence_(unwrap_merge|array_alloc|array_create|chain_alloc|allocate_private_stub|get_rcu|get_rcu_safe))$";
@@

(
- IS_ERR(x = f(es))
+ !(x = f(es))
|
- IS_ERR(f(es))
+ !f(es)
)

@err depends on context || org || report exists@
expression x, E;
position p != inside.i;
position q != both.t;
@@

* x = \(dma_buf_export@p\|dma_buf_get@p\|dma_buf_attach@p\|dma_buf_dynamic_attach@p\|dma_buf_map_attachment@p\|dma_buf_map_attachment_unlocked@p\|dma_buf_try_map_attachment@p\|dma_buf_try_map_attachment_unlocked@p\|dma_heap_add@p\)(...)
... when != x = E
    when != IS_ERR(x)
    when != IS_ERR_OR_NULL(x)
    when != PTR_ERR_OR_ZERO(x)
(
* x@q == NULL
|
* x@q != NULL
|
* x@q == 0
|
* x@q != 0
)

@null depends on context || org || report exists@
expression x, E;
position p != inside.i;
position q != both.t;
@@

* x = \(sync_file_create@p\|sync_file_get_fence@p\|dma_fence_unwrap_merge@p\|dma_fence_array_alloc@p\|dma_fence_array_create@p\|dma_fence_chain_alloc@p\|dma_fence_allocate_private_stub@p\|dma_fence_get_rcu@p\|dma_fence_get_rcu_safe@p\)(...)
... when != x = E
    when != x == NULL
    when != x != NULL
    when != IS_ERR_OR_NULL(x)
(
* IS_ERR(x@q)
|
* PTR_ERR_OR_ZERO(x@q)
)

@err_at_once depends on context || org || report@
expression x;
position q;
@@

(
* (x = \(dma_buf_export@q\|dma_buf_get@q\|dma_buf_attach@q\|dma_buf_dynamic_attach@q\|dma_buf_map_attachment@q\|dma_buf_map_attachment_unlocked@q\|dma_buf_try_map_attachment@q\|dma_buf_try_map_attachment_unlocked@q\|dma_heap_add@q\)(...)) == NULL
|
* (x = \(dma_buf_export@q\|dma_buf_get@q\|dma_buf_attach@q\|dma_buf_dynamic_attach@q\|dma_buf_map_attachment@q\|dma_buf_map_attachment_unlocked@q\|dma_buf_try_map_attachment@q\|dma_buf_try_map_attachment_unlocked@q\|dma_heap_add@q\)(...)) != NULL
|
* \(dma_buf_export@q\|dma_buf_get@q\|dma_buf_attach@q\|dma_buf_dynamic_attach@q\|dma_buf_map_attachment@q\|dma_buf_map_attachment_unlocked@q\|dma_buf_try_map_attachment@q\|dma_buf_try_map_attachment_unlocked@q\|dma_heap_add@q\)(...) == NULL
|
* \(dma_buf_export@q\|dma_buf_get@q\|dma_buf_attach@q\|dma_buf_dynamic_attach@q\|dma_buf_map_attachment@q\|dma_buf_map_attachment_unlocked@q\|dma_buf_try_map_attachment@q\|dma_buf_try_map_attachment_unlocked@q\|dma_heap_add@q\)(...) != NULL
)

@null_at_once depends on context || org || report@
expression x;
position q;
@@

(
* \(IS_ERR\|PTR_ERR_OR_ZERO\)(x = \(sync_file_create@q\|sync_file_get_fence@q\|dma_fence_unwrap_merge@q\|dma_fence_array_alloc@q\|dma_fence_array_create@q\|dma_fence_chain_alloc@q\|dma_fence_allocate_private_stub@q\|dma_fence_get_rcu@q\|dma_fence_get_rcu_safe@q\)(...))
|
* \(IS_ERR\|PTR_ERR_OR_ZERO\)(\(sync_file_create@q\|sync_file_get_fence@q\|dma_fence_unwrap_merge@q\|dma_fence_array_alloc@q\|dma_fence_array_create@q\|dma_fence_chain_alloc@q\|dma_fence_allocate_private_stub@q\|dma_fence_get_rcu@q\|dma_fence_get_rcu_safe@q\)(...))
)

@script:python depends on report@
p << err.p;
q << err.q;
@@

msg = "ERROR: the call on line %s returns an ERR_PTR on failure, not NULL" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << null.p;
q << null.q;
@@

msg = "ERROR: the call on line %s returns NULL on failure, not an ERR_PTR" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
q << err_at_once.q;
@@

msg = "ERROR: the call returns an ERR_PTR on failure, not NULL"
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
q << null_at_once.q;
@@

msg = "ERROR: the call returns NULL on failure, not an ERR_PTR"
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
p << err.p;
q << err.q;
@@

cocci.print_main("call that returns an ERR_PTR", p)
cocci.print_secs("tested for NULL", q)

@script:python depends on org@
q << err_at_once.q;
@@

cocci.print_main("call that returns an ERR_PTR, tested for NULL", q)

@script:python depends on org@
p << null.p;
q << null.q;
@@

cocci.print_main("call that returns NULL", p)
cocci.print_secs("tested with IS_ERR", q)

@script:python depends on org@
q << null_at_once.q;
@@

cocci.print_main("call that returns NULL, tested with IS_ERR", q)
