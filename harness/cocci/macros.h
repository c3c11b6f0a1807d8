/*
 * For spatch, which does not see the headers: macros that its parser cannot
 * guess from their use.
 */
#define __counted_by(member)
#define DEFINE_DMA_BUF_EXPORT_INFO(name) struct dma_buf_export_info name = {}
#define VISIBLE_IF_KUNIT static
#define scoped_guard(name, args...) YACFE_ITERATOR
#define drm_exec_until_all_locked(exec) YACFE_ITERATOR
#define intel_wedge_on_timeout(w, gt, timeout) YACFE_ITERATOR
#define with_intel_display_power(i915, domain, wakeref) YACFE_ITERATOR
#define with_intel_display_power_if_enabled(i915, domain, wakeref) YACFE_ITERATOR
#define with_intel_runtime_pm(rpm, wakeref) YACFE_ITERATOR
#define with_intel_runtime_pm_if_in_use(rpm, wakeref) YACFE_ITERATOR
#define with_intel_gt_pm_if_awake(gt, wakeref) YACFE_ITERATOR
