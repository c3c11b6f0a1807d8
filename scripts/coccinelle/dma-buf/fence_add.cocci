// SPDX-License-Identifier: GPL-2.0-only
/// Who owns a fence after a call that could fail. dma_fence_add_callback() and
/// dma_resv_reserve_fences() take no reference: the one that was meant for the
/// callback, or for what follows, has to be dropped when they fail, and once
/// only. dma_fence_chain_init() takes over the references that it is given.
/// dma_fence_array_create() takes over the array of fences, and leaves it to
/// the caller if it fails.
///
//# Followed inside a function from where the reference was got.
//#
//# Not seen: a reference that is kept in an object which another function
//# drops; a callback that forgets to drop its reference; a fence whose count
//# is changed by helpers.
//#
//# False positives can come from conditions that belong together, and from a
//# second reference that was stored where the first one lay.
//
// Confidence: Moderate
// Comments:
// Options: --no-includes

virtual context
virtual org
virtual report

@initialize:python@
@@

def scoped(p):
    with open(p[0].file, errors="replace") as source:
        return "__free(" in source.readlines()[int(p[0].line) - 1]

// Stored elsewhere in the same breath.
@both@
expression x, y;
position o;
@@

x = (y = \(dma_fence_get@o\|dma_fence_get_rcu@o\|dma_fence_get_rcu_safe@o\|dma_fence_get_stub@o\|dma_fence_unwrap_merge@o\|dma_fence_allocate_private_stub@o\|sync_file_get_fence@o\|drm_syncobj_fence_get@o\)(...))

// Dropped where its scope ends.
@dropped@
expression x;
position o : script:python() { scoped(o) };
@@

x = \(dma_fence_get@o\|dma_fence_get_rcu@o\|dma_fence_get_rcu_safe@o\|dma_fence_get_stub@o\|dma_fence_unwrap_merge@o\|dma_fence_allocate_private_stub@o\|sync_file_get_fence@o\|drm_syncobj_fence_get@o\)(...)

// The reference for the callback is kept when there will be no callback.
@get_callback depends on context || org || report exists@
idexpression f;
expression E;
identifier fn !~ "^((un)?likely|dma_fence_(is_signaled|get|put|add_callback|wait|wait_timeout|enable_sw_signaling|chain_init)|dev_[a-z_]+|pr_[a-z_]+|printk|trace_[a-z0-9_]+|WARN[A-Z_]*)$";
position p, q;
@@

* dma_fence_get@p(f);
... when != dma_fence_put(f)
    when != f = E
    when != E = f
    when != fn(..., f, ...)
* if (\(unlikely(dma_fence_add_callback@q(f, ...))\|unlikely(dma_fence_add_callback@q(f, ...) < 0)\))
  {
	... when != dma_fence_put(f)
	    when != E = f
	    when != fn(..., f, ...)
	    when != return f;
	return ...;
  }

@get_callback_result depends on context || org || report exists@
idexpression f;
expression r, E;
identifier fn !~ "^((un)?likely|dma_fence_(is_signaled|get|put|add_callback|wait|wait_timeout|enable_sw_signaling|chain_init)|dev_[a-z_]+|pr_[a-z_]+|printk|trace_[a-z0-9_]+|WARN[A-Z_]*)$";
position p, q;
@@

* dma_fence_get@p(f);
... when != dma_fence_put(f)
    when != f = E
    when != E = f
    when != fn(..., f, ...)
* r = dma_fence_add_callback@q(f, ...)
... when != dma_fence_put(f)
    when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\|r == -ENOENT\))
  {
	... when != dma_fence_put(f)
	    when != E = f
	    when != fn(..., f, ...)
	    when != return f;
	return ...;
  }

// Armed, or gone; the rest of the function is for a fence that is signaled.
@get_returns depends on context || org || report exists@
idexpression f;
expression E;
identifier fn !~ "^((un)?likely|dma_fence_(is_signaled|get|put|add_callback|wait|wait_timeout|enable_sw_signaling|chain_init)|dev_[a-z_]+|pr_[a-z_]+|printk|trace_[a-z0-9_]+|WARN[A-Z_]*)$";
position p, q;
@@

* dma_fence_get@p(f);
... when != dma_fence_put(f)
    when != f = E
    when != E = f
    when != fn(..., f, ...)
* if (\(likely(!dma_fence_add_callback@q(f, ...))\|dma_fence_add_callback@q(f, ...) == 0\))
  return ...;
... when != dma_fence_put(f)
    when != E = f
    when != fn(..., f, ...)
    when != return f;
return ...;

@get_tail depends on context || org || report exists@
idexpression f;
expression E;
identifier fn !~ "^((un)?likely|dma_fence_(is_signaled|get|put|add_callback|wait|wait_timeout|enable_sw_signaling|chain_init)|dev_[a-z_]+|pr_[a-z_]+|printk|trace_[a-z0-9_]+|WARN[A-Z_]*)$";
position p, q;
@@

* dma_fence_get@p(f);
... when != dma_fence_put(f)
    when != f = E
    when != E = f
    when != fn(..., f, ...)
* return dma_fence_add_callback@q(f, ...);

// The reference was got by a call that returns it.
@got_callback depends on context || org || report exists@
local idexpression f;
expression E;
identifier fn !~ "^((un)?likely|dma_fence_(is_signaled|get|put|add_callback|wait|wait_timeout|enable_sw_signaling|chain_init)|dev_[a-z_]+|pr_[a-z_]+|printk|trace_[a-z0-9_]+|WARN[A-Z_]*)$";
position p != {both.o, dropped.o};
position q;
@@

* f = \(dma_fence_get@p\|dma_fence_get_rcu@p\|dma_fence_get_rcu_safe@p\|dma_fence_get_stub@p\|dma_fence_unwrap_merge@p\|dma_fence_allocate_private_stub@p\|sync_file_get_fence@p\|drm_syncobj_fence_get@p\)(...)
... when != dma_fence_put(f)
    when != f = E
    when != E = f
    when != fn(..., f, ...)
* if (\(unlikely(dma_fence_add_callback@q(f, ...))\|unlikely(dma_fence_add_callback@q(f, ...) < 0)\))
  {
	... when != dma_fence_put(f)
	    when != E = f
	    when != fn(..., f, ...)
	    when != return f;
	return ...;
  }

@got_callback_result depends on context || org || report exists@
local idexpression f;
expression r, E;
identifier fn !~ "^((un)?likely|dma_fence_(is_signaled|get|put|add_callback|wait|wait_timeout|enable_sw_signaling|chain_init)|dev_[a-z_]+|pr_[a-z_]+|printk|trace_[a-z0-9_]+|WARN[A-Z_]*)$";
position p != {both.o, dropped.o};
position q;
@@

* f = \(dma_fence_get@p\|dma_fence_get_rcu@p\|dma_fence_get_rcu_safe@p\|dma_fence_get_stub@p\|dma_fence_unwrap_merge@p\|dma_fence_allocate_private_stub@p\|sync_file_get_fence@p\|drm_syncobj_fence_get@p\)(...)
... when != dma_fence_put(f)
    when != f = E
    when != E = f
    when != fn(..., f, ...)
* r = dma_fence_add_callback@q(f, ...)
... when != dma_fence_put(f)
    when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\|r == -ENOENT\))
  {
	... when != dma_fence_put(f)
	    when != E = f
	    when != fn(..., f, ...)
	    when != return f;
	return ...;
  }

@reserve depends on context || org || report exists@
local idexpression f;
expression r, E;
identifier fn !~ "^((un)?likely|dma_fence_(is_signaled|get|put|add_callback|wait|wait_timeout|enable_sw_signaling|chain_init)|dev_[a-z_]+|pr_[a-z_]+|printk|trace_[a-z0-9_]+|WARN[A-Z_]*)$";
position p != {both.o, dropped.o};
position q;
@@

* f = \(dma_fence_get@p\|dma_fence_get_rcu@p\|dma_fence_get_rcu_safe@p\|dma_fence_get_stub@p\|dma_fence_unwrap_merge@p\|dma_fence_allocate_private_stub@p\|sync_file_get_fence@p\|drm_syncobj_fence_get@p\)(...)
... when != dma_fence_put(f)
    when != f = E
    when != E = f
    when != fn(..., f, ...)
* r = dma_resv_reserve_fences@q(...)
... when != dma_fence_put(f)
    when != r = E
  if (\(unlikely(r)\|unlikely(r < 0)\))
  {
	... when != dma_fence_put(f)
	    when != E = f
	    when != fn(..., f, ...)
	return ...;
  }

@reserve_test depends on context || org || report exists@
local idexpression f;
expression E;
identifier fn !~ "^((un)?likely|dma_fence_(is_signaled|get|put|add_callback|wait|wait_timeout|enable_sw_signaling|chain_init)|dev_[a-z_]+|pr_[a-z_]+|printk|trace_[a-z0-9_]+|WARN[A-Z_]*)$";
position p != {both.o, dropped.o};
position q;
@@

* f = \(dma_fence_get@p\|dma_fence_get_rcu@p\|dma_fence_get_rcu_safe@p\|dma_fence_get_stub@p\|dma_fence_unwrap_merge@p\|dma_fence_allocate_private_stub@p\|sync_file_get_fence@p\|drm_syncobj_fence_get@p\)(...)
... when != dma_fence_put(f)
    when != f = E
    when != E = f
    when != fn(..., f, ...)
* if (\(unlikely(dma_resv_reserve_fences@q(...))\|unlikely(dma_resv_reserve_fences@q(...) < 0)\))
  {
	... when != dma_fence_put(f)
	    when != E = f
	    when != fn(..., f, ...)
	return ...;
  }

// One reference, put for the callback that will not be called, and once more.
@twice depends on context || org || report exists@
local idexpression f;
expression E;
position p != {both.o, dropped.o};
position s, q;
@@

* f = \(dma_fence_get@p\|dma_fence_get_rcu@p\|dma_fence_get_rcu_safe@p\|dma_fence_get_stub@p\|dma_fence_unwrap_merge@p\|dma_fence_allocate_private_stub@p\|sync_file_get_fence@p\|drm_syncobj_fence_get@p\)(...)
... when != dma_fence_get(f)
    when != f = E
dma_fence_add_callback(f, ...)
... when != dma_fence_get(f)
    when != f = E
  dma_fence_put@s(f)
... when != dma_fence_get(f)
    when != f = E
* dma_fence_put@q(f)

@chain depends on context || org || report exists@
local idexpression f;
expression c, e, n, E;
position p != {both.o, dropped.o};
position q;
@@

* f = \(dma_fence_get@p\|dma_fence_get_rcu@p\|dma_fence_get_rcu_safe@p\|dma_fence_get_stub@p\|dma_fence_unwrap_merge@p\|dma_fence_allocate_private_stub@p\|sync_file_get_fence@p\|drm_syncobj_fence_get@p\)(...)
... when != dma_fence_get(f)
    when != f = E
\(dma_fence_chain_init(c, e, f, n)\|dma_fence_chain_init(c, f, e, n)\)
... when != dma_fence_get(f)
    when != f = E
    when != rcu_assign_pointer(...)
    when != rcu_replace_pointer(...)
* dma_fence_put@q(f)

@array depends on context || org || report exists@
local idexpression fs;
expression a, E;
identifier fn;
position p, q;
@@

  fs = \(kcalloc\|kmalloc_array\|kmalloc\|kzalloc\|kmemdup\)(...)
... when != fs = E
* a = dma_fence_array_create@p@q(E, fs, ...)
... when != kfree(fs)
  if (\(a == NULL\))
  {
	... when != fn(..., fs, ...)
	return ...;
  }

@array_twice depends on context || org || report exists@
local idexpression fs;
expression a, E;
position p, q;
@@

* a = dma_fence_array_create@p(E, fs, ...)
... when != fs = E
    when != true a == NULL
    when != false a != NULL
* kfree@q(fs)

@script:python depends on report@
p << get_returns.p;
q << get_returns.q;
@@

msg = "ERROR: missing dma_fence_put when this fails; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
p << get_returns.p;
q << get_returns.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on report@
p << get_tail.p;
q << get_tail.q;
@@

msg = "ERROR: missing dma_fence_put when this fails; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
p << get_tail.p;
q << get_tail.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on report@
p << get_callback.p;
q << get_callback.q;
@@

msg = "ERROR: missing dma_fence_put when this fails; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << get_callback_result.p;
q << get_callback_result.q;
@@

msg = "ERROR: missing dma_fence_put when this fails; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << got_callback.p;
q << got_callback.q;
@@

msg = "ERROR: missing dma_fence_put when this fails; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << got_callback_result.p;
q << got_callback_result.q;
@@

msg = "ERROR: missing dma_fence_put when this fails; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << reserve.p;
q << reserve.q;
@@

msg = "ERROR: missing dma_fence_put when this fails; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << reserve_test.p;
q << reserve_test.q;
@@

msg = "ERROR: missing dma_fence_put when this fails; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << twice.p;
s << twice.s;
q << twice.q;
@@

# The same call, in the next round of a loop, is for another fence.
if s[0].line != q[0].line:
    msg = "ERROR: second dma_fence_put; reference of line %s" % (p[0].line)
    coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << chain.p;
q << chain.q;
@@

msg = "ERROR: dma_fence_put of a fence that the chain owns; reference of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << array.p;
q << array.q;
@@

msg = "ERROR: missing kfree of the fences when dma_fence_array_create fails on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << array_twice.p;
q << array_twice.q;
@@

msg = "ERROR: kfree of the fences that belong to the array of line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
p << get_callback.p;
q << get_callback.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on org@
p << get_callback_result.p;
q << get_callback_result.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on org@
p << got_callback.p;
q << got_callback.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on org@
p << got_callback_result.p;
q << got_callback_result.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on org@
p << reserve.p;
q << reserve.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on org@
p << reserve_test.p;
q << reserve_test.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on org@
p << twice.p;
s << twice.s;
q << twice.q;
@@

if s[0].line != q[0].line:
    cocci.print_main("owner of the fence", p)
    cocci.print_secs("second put", q)

@script:python depends on org@
p << chain.p;
q << chain.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("second put", q)

@script:python depends on org@
p << array.p;
q << array.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("missing put", q)

@script:python depends on org@
p << array_twice.p;
q << array_twice.q;
@@

cocci.print_main("owner of the fence", p)
cocci.print_secs("second put", q)
