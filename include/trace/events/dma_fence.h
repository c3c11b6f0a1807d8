/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events of fences. All have the same four fields; they differ in how the
 * names may be read, because a provider may be gone after it has signaled.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dma_fence

#if !defined(_TRACE_DMA_FENCE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_DMA_FENCE_H

#include <linux/dma-fence.h>
#include <linux/tracepoint.h>

/*
 * For fences of whatever state: fixed names once they are signaled. Which may be
 * right after the length was measured, so the copy is cut off at that length.
 */
DECLARE_EVENT_CLASS(dma_fence,
		    TP_PROTO(struct dma_fence *fence),
		    TP_ARGS(fence),
		    TP_STRUCT__entry(__dynamic_array(char, driver,
						     strlen(dma_fence_driver_name(fence)) + 1)
				     __dynamic_array(char, timeline,
						     strlen(dma_fence_timeline_name(fence)) + 1)
				     __field(unsigned int, context)
				     __field(unsigned int, seqno)
				     ),
		    TP_fast_assign(strscpy(__get_str(driver), dma_fence_driver_name(fence),
					   __get_dynamic_array_len(driver));
				   strscpy(__get_str(timeline), dma_fence_timeline_name(fence),
					   __get_dynamic_array_len(timeline));
				   __entry->context = fence->context;
				   __entry->seqno = fence->seqno;
				   ),
		    TP_printk("driver=%s timeline=%s context=%u seqno=%u",
			      __get_str(driver), __get_str(timeline),
			      __entry->context, __entry->seqno)
);

/*
 * For the provider itself, for the path that signals, and for holders of the lock
 * of an unsignaled fence: nobody can have left yet, so these show true names.
 */
DECLARE_EVENT_CLASS(dma_fence_attended,
		    TP_PROTO(struct dma_fence *fence),
		    TP_ARGS(fence),
		    TP_STRUCT__entry(__string(driver, fence->ops->get_driver_name(fence))
				     __string(timeline, fence->ops->get_timeline_name(fence))
				     __field(unsigned int, context)
				     __field(unsigned int, seqno)
				     ),
		    TP_fast_assign(__assign_str(driver);
				   __assign_str(timeline);
				   __entry->context = fence->context;
				   __entry->seqno = fence->seqno;
				   ),
		    TP_printk("driver=%s timeline=%s context=%u seqno=%u",
			      __get_str(driver), __get_str(timeline),
			      __entry->context, __entry->seqno)
);

/* The provider hands the work to its device. */
DEFINE_EVENT(dma_fence_attended, dma_fence_emit,
	     TP_PROTO(struct dma_fence *fence), TP_ARGS(fence));

DEFINE_EVENT(dma_fence_attended, dma_fence_init,
	     TP_PROTO(struct dma_fence *fence), TP_ARGS(fence));

/* The last reference is gone; the fence may or may not be signaled. */
DEFINE_EVENT(dma_fence, dma_fence_destroy,
	     TP_PROTO(struct dma_fence *fence), TP_ARGS(fence));

/* The provider is about to be asked to signal on its own account. */
DEFINE_EVENT(dma_fence_attended, dma_fence_enable_signal,
	     TP_PROTO(struct dma_fence *fence), TP_ARGS(fence));

DEFINE_EVENT(dma_fence_attended, dma_fence_signaled,
	     TP_PROTO(struct dma_fence *fence), TP_ARGS(fence));

DEFINE_EVENT(dma_fence, dma_fence_wait_start,
	     TP_PROTO(struct dma_fence *fence), TP_ARGS(fence));

DEFINE_EVENT(dma_fence, dma_fence_wait_end,
	     TP_PROTO(struct dma_fence *fence), TP_ARGS(fence));

#endif /*  _TRACE_DMA_FENCE_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
