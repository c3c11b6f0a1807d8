// SPDX-License-Identifier: GPL-2.0-only
/// An importer that returns early still has to end its attachment: whoever
/// called dma_buf_attach() calls dma_buf_detach() on every way out that does
/// not hand the attachment on.
///
//# Followed from the attachment to a return statement of the same function. An
//# attachment in a local variable is lost on any return that neither detaches
//# nor stores nor passes it on. One that is stored right away is looked at on
//# returns of an error code only, and only as long as no function got the
//# object that it is stored in. One that ends with its scope, by __free(), is
//# left alone.
//#
//# Not seen: an attachment that is kept although a later step, in this function
//# or in its caller, fails; a release function that forgets the attachment; an
//# element of an array.
//#
//# False positives can come from conditions that belong together.
//
// Confidence: High
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

@handed@
local idexpression a;
position q;
@@

a = \(dma_buf_attach\|dma_buf_dynamic_attach\)(...)
... when any
return@q <+... a ...+>;

// The name of a test is not a function that the attachment is handed to.
@kept depends on context || org || report exists@
local idexpression a;
expression E, r;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|PTR_ERR_OR_ZERO|dma_buf_(un)?map_attachment(_unlocked)?|dma_buf_(un)?pin|dma_buf_get_pfn(_unlocked)?|dma_buf_try_map_attachment(_unlocked)?|dev_[a-z_]+|pr_[a-z_]+|printk|WARN[A-Z_]*)$";
position p : script:python() { not scoped(p) };
position q != handed.q;
@@

* a = \(dma_buf_attach@p\|dma_buf_dynamic_attach@p\)(...)
... when != dma_buf_detach(..., a)
    when != E = a
    when != fn(..., <+... a ...+>, ...)
    when != r = PTR_ERR_OR_ZERO(a)
    when != true unlikely(IS_ERR(a))
    when != true unlikely(IS_ERR_OR_NULL(a))
    when != true a == NULL
    when != false a != NULL
    when != false !IS_ERR(a)
    when != false !IS_ERR_OR_NULL(a)
    when != &a
* return@q ...;

// The same after a test of the error code alone.
@coded depends on context || org || report exists@
local idexpression a;
expression E, r;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|PTR_ERR_OR_ZERO|dma_buf_(un)?map_attachment(_unlocked)?|dma_buf_(un)?pin|dma_buf_get_pfn(_unlocked)?|dma_buf_try_map_attachment(_unlocked)?|dev_[a-z_]+|pr_[a-z_]+|printk|WARN[A-Z_]*)$";
statement S;
position p : script:python() { not scoped(p) };
position q != handed.q;
@@

* a = \(dma_buf_attach@p\|dma_buf_dynamic_attach@p\)(...)
... when != dma_buf_detach(..., a)
    when != E = a
r = PTR_ERR_OR_ZERO(a)
... when != r = E
if (\(unlikely(r)\|unlikely(r < 0)\)) S
... when != dma_buf_detach(..., a)
    when != E = a
    when != fn(..., <+... a ...+>, ...)
    when != true a == NULL
    when != false a != NULL
    when != &a
    when any
* return@q ...;

@stored depends on context || org || report exists@
expression x, E;
identifier m;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|dev_[a-z_]+|pr_[a-z_]+|printk)$";
constant C;
position p, q;
@@

* x->m = \(dma_buf_attach@p\|dma_buf_dynamic_attach@p\)(...)
... when != dma_buf_detach(..., x->m)
    when != x->m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->m))
    when != true unlikely(IS_ERR_OR_NULL(x->m))
    when != false !IS_ERR(x->m)
    when != false !IS_ERR_OR_NULL(x->m)
    when != false x->m != NULL
(
* return@q -C;
|
* return@q PTR_ERR(...);
|
* return@q ERR_PTR(...);
|
* return@q ERR_CAST(...);
)

@stored_code depends on context || org || report exists@
expression x, E, r;
identifier m;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|dev_[a-z_]+|pr_[a-z_]+|printk)$";
constant C;
position p, q;
@@

* x->m = \(dma_buf_attach@p\|dma_buf_dynamic_attach@p\)(...)
... when != dma_buf_detach(..., x->m)
    when != x->m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->m))
    when != true unlikely(IS_ERR_OR_NULL(x->m))
    when != false !IS_ERR(x->m)
    when != false !IS_ERR_OR_NULL(x->m)
    when != false x->m != NULL
(
r = -C
|
r = PTR_ERR(...)
)
... when != dma_buf_detach(..., x->m)
    when != x->m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->m))
    when != true unlikely(IS_ERR_OR_NULL(x->m))
    when != false !IS_ERR(x->m)
    when != false !IS_ERR_OR_NULL(x->m)
    when != false x->m != NULL
    when != r = E
* return@q r;

// A call that gets the object, too, may take care of it.
@stored_given exists@
expression x, r;
identifier m, g;
position o;
@@

x->m = \(dma_buf_attach\|dma_buf_dynamic_attach\)(...)
... when any
r = g@o(..., x, ...)

@stored_call depends on context || org || report exists@
expression x, E, r;
identifier m;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|dev_[a-z_]+|pr_[a-z_]+|printk)$";
identifier g;
position o != stored_given.o;
position p, q;
@@

* x->m = \(dma_buf_attach@p\|dma_buf_dynamic_attach@p\)(...)
... when != dma_buf_detach(..., x->m)
    when != x->m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->m))
    when != true unlikely(IS_ERR_OR_NULL(x->m))
    when != false !IS_ERR(x->m)
    when != false !IS_ERR_OR_NULL(x->m)
    when != false x->m != NULL
r = g@o(...)
... when != dma_buf_detach(..., x->m)
    when != x->m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->m))
    when != true unlikely(IS_ERR_OR_NULL(x->m))
    when != false !IS_ERR(x->m)
    when != false !IS_ERR_OR_NULL(x->m)
    when != false x->m != NULL
    when != r = E
if (\(unlikely(r)\|unlikely(r < 0)\)) {
	... when != dma_buf_detach(..., x->m)
	    when != x->m = E
	    when != E = x
	    when != fn(..., x, ...)
	    when != fn(..., &x, ...)
	    when != true unlikely(IS_ERR(x->m))
	    when != true unlikely(IS_ERR_OR_NULL(x->m))
	    when != false !IS_ERR(x->m)
	    when != false !IS_ERR_OR_NULL(x->m)
    when != false x->m != NULL
	    when != r = E
* return@q r;
}

@stored_inside depends on context || org || report exists@
expression x, E;
identifier n, m;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|dev_[a-z_]+|pr_[a-z_]+|printk)$";
constant C;
position p, q;
@@

* x->n.m = \(dma_buf_attach@p\|dma_buf_dynamic_attach@p\)(...)
... when != dma_buf_detach(..., x->n.m)
    when != x->n.m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->n.m))
    when != true unlikely(IS_ERR_OR_NULL(x->n.m))
    when != false !IS_ERR(x->n.m)
    when != false !IS_ERR_OR_NULL(x->n.m)
    when != false x->n.m != NULL
(
* return@q -C;
|
* return@q PTR_ERR(...);
|
* return@q ERR_PTR(...);
|
* return@q ERR_CAST(...);
)

@stored_inside_code depends on context || org || report exists@
expression x, E, r;
identifier n, m;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|dev_[a-z_]+|pr_[a-z_]+|printk)$";
constant C;
position p, q;
@@

* x->n.m = \(dma_buf_attach@p\|dma_buf_dynamic_attach@p\)(...)
... when != dma_buf_detach(..., x->n.m)
    when != x->n.m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->n.m))
    when != true unlikely(IS_ERR_OR_NULL(x->n.m))
    when != false !IS_ERR(x->n.m)
    when != false !IS_ERR_OR_NULL(x->n.m)
    when != false x->n.m != NULL
(
r = -C
|
r = PTR_ERR(...)
)
... when != dma_buf_detach(..., x->n.m)
    when != x->n.m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->n.m))
    when != true unlikely(IS_ERR_OR_NULL(x->n.m))
    when != false !IS_ERR(x->n.m)
    when != false !IS_ERR_OR_NULL(x->n.m)
    when != false x->n.m != NULL
    when != r = E
* return@q r;

// A call that gets the object, too, may take care of it.
@stored_inside_given exists@
expression x, r;
identifier n, m, g;
position o;
@@

x->n.m = \(dma_buf_attach\|dma_buf_dynamic_attach\)(...)
... when any
r = g@o(..., x, ...)

@stored_inside_call depends on context || org || report exists@
expression x, E, r;
identifier n, m;
identifier fn !~ "^((un)?likely|IS_ERR|IS_ERR_OR_NULL|PTR_ERR|dev_[a-z_]+|pr_[a-z_]+|printk)$";
identifier g;
position o != stored_inside_given.o;
position p, q;
@@

* x->n.m = \(dma_buf_attach@p\|dma_buf_dynamic_attach@p\)(...)
... when != dma_buf_detach(..., x->n.m)
    when != x->n.m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->n.m))
    when != true unlikely(IS_ERR_OR_NULL(x->n.m))
    when != false !IS_ERR(x->n.m)
    when != false !IS_ERR_OR_NULL(x->n.m)
    when != false x->n.m != NULL
r = g@o(...)
... when != dma_buf_detach(..., x->n.m)
    when != x->n.m = E
    when != E = x
    when != fn(..., x, ...)
    when != fn(..., &x, ...)
    when != true unlikely(IS_ERR(x->n.m))
    when != true unlikely(IS_ERR_OR_NULL(x->n.m))
    when != false !IS_ERR(x->n.m)
    when != false !IS_ERR_OR_NULL(x->n.m)
    when != false x->n.m != NULL
    when != r = E
if (\(unlikely(r)\|unlikely(r < 0)\)) {
	... when != dma_buf_detach(..., x->n.m)
	    when != x->n.m = E
	    when != E = x
	    when != fn(..., x, ...)
	    when != fn(..., &x, ...)
	    when != true unlikely(IS_ERR(x->n.m))
	    when != true unlikely(IS_ERR_OR_NULL(x->n.m))
	    when != false !IS_ERR(x->n.m)
	    when != false !IS_ERR_OR_NULL(x->n.m)
    when != false x->n.m != NULL
	    when != r = E
* return@q r;
}

@script:python depends on report@
p << kept.p;
q << kept.q;
@@

msg = "ERROR: missing dma_buf_detach; attached on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << coded.p;
q << coded.q;
@@

msg = "ERROR: missing dma_buf_detach; attached on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << stored.p;
q << stored.q;
@@

msg = "ERROR: missing dma_buf_detach; attached on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << stored_code.p;
q << stored_code.q;
@@

msg = "ERROR: missing dma_buf_detach; attached on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << stored_call.p;
q << stored_call.q;
@@

msg = "ERROR: missing dma_buf_detach; attached on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << stored_inside.p;
q << stored_inside.q;
@@

msg = "ERROR: missing dma_buf_detach; attached on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << stored_inside_code.p;
q << stored_inside_code.q;
@@

msg = "ERROR: missing dma_buf_detach; attached on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on report@
p << stored_inside_call.p;
q << stored_inside_call.q;
@@

msg = "ERROR: missing dma_buf_detach; attached on line %s" % (p[0].line)
coccilib.report.print_report(q[0], msg)

@script:python depends on org@
p << kept.p;
q << kept.q;
@@

cocci.print_main("attached", p)
cocci.print_secs("left without dma_buf_detach", q)

@script:python depends on org@
p << coded.p;
q << coded.q;
@@

cocci.print_main("attached", p)
cocci.print_secs("left without dma_buf_detach", q)

@script:python depends on org@
p << stored.p;
q << stored.q;
@@

cocci.print_main("attached", p)
cocci.print_secs("left without dma_buf_detach", q)

@script:python depends on org@
p << stored_code.p;
q << stored_code.q;
@@

cocci.print_main("attached", p)
cocci.print_secs("left without dma_buf_detach", q)

@script:python depends on org@
p << stored_call.p;
q << stored_call.q;
@@

cocci.print_main("attached", p)
cocci.print_secs("left without dma_buf_detach", q)

@script:python depends on org@
p << stored_inside.p;
q << stored_inside.q;
@@

cocci.print_main("attached", p)
cocci.print_secs("left without dma_buf_detach", q)

@script:python depends on org@
p << stored_inside_code.p;
q << stored_inside_code.q;
@@

cocci.print_main("attached", p)
cocci.print_secs("left without dma_buf_detach", q)

@script:python depends on org@
p << stored_inside_call.p;
q << stored_inside_call.q;
@@

cocci.print_main("attached", p)
cocci.print_secs("left without dma_buf_detach", q)
