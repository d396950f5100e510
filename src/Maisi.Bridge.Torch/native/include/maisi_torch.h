// A flat C interface over libtorch's operator dispatcher. No libtorch type crosses it.
//
// Conventions: functions that return int32_t give 0 on success and 1 on failure, unless they say otherwise;
// functions that return a pointer give NULL on failure. The reason is then in mt_last_error (per thread).
// A tensor handle is an owned reference to a TensorImpl and is released with mt_tensor_free.
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#define MT_API __attribute__((visibility("default")))

// Raised whenever this interface changes; the managed side refuses a library with another number.
#define MT_ABI_VERSION 2

enum mt_tag {
  MT_NONE = 0, MT_TENSOR = 1, MT_INT = 2, MT_DOUBLE = 3, MT_BOOL = 4, MT_STRING = 5, MT_INTS = 6, MT_DOUBLES = 7,
  MT_BOOLS = 8, MT_TENSORS = 9, MT_DEVICE = 10, MT_GENERATOR = 11, MT_COMPLEX = 12, MT_DEFAULT = 13, MT_OTHER = 14
};

enum mt_error {
  MT_E_TORCH = 1, MT_E_INDEX = 2, MT_E_NOT_IMPLEMENTED = 3, MT_E_OUT_OF_MEMORY = 4, MT_E_VALUE = 5, MT_E_TYPE = 6,
  MT_E_STD = 7, MT_E_UNKNOWN = 8, MT_E_NO_OPERATOR = 9, MT_E_NO_CUDA = 10
};

// One argument or result, 24 bytes. n: element count, string length or device index.
typedef struct { int32_t tag; int32_t n; union { int64_t i; double d; void* p; } u; double imag; } mt_value;

typedef struct mt_op_s* mt_op;   // a resolved operator; lives for ever
typedef void* mt_tensor;
typedef void* mt_generator;
typedef void* mt_script;

MT_API int32_t mt_abi_version(void);
MT_API const char* mt_version(void);          // libtorch's version as compiled against, e.g. "2.6.0"
MT_API int32_t mt_has_cuda(void);             // 1 when built with MS_CUDA
MT_API const char* mt_last_error(int32_t* kind);

// ---- operators
MT_API mt_op mt_op_find(const char* name, const char* overload);
MT_API const char* mt_op_schema(mt_op);       // text is valid until the next call on this thread
MT_API int32_t mt_op_call(mt_op, const mt_value* args, int32_t nargs, mt_value* outs, int32_t nouts);
MT_API void mt_free(void*);                   // releases the array of a list result

// ---- tensors
MT_API void mt_tensor_free(mt_tensor);
MT_API mt_tensor mt_tensor_retain(mt_tensor); // the same handle with one more reference
MT_API int64_t mt_tensor_use_count(mt_tensor);
// meta12: dtype, device type, device index, layout, requires_grad, is_leaf, ndim, numel, element_size, storage bytes,
// storage offset, is_contiguous. sizes and strides may be NULL.
MT_API int32_t mt_tensor_meta(mt_tensor, int64_t* meta12, int64_t* sizes, int64_t* strides, int32_t capacity);
MT_API void* mt_tensor_data(mt_tensor);
typedef void (*mt_blob_deleter)(void* context);
MT_API mt_tensor mt_from_blob(void* data, const int64_t* sizes, const int64_t* strides, int32_t ndim, int32_t dtype,
                              int32_t device_type, int32_t device_index, mt_blob_deleter deleter, void* context);

// ---- autograd
MT_API int32_t mt_set_requires_grad(mt_tensor, int32_t on);
MT_API int32_t mt_grad_get(mt_tensor, mt_tensor* out);
MT_API int32_t mt_grad_set(mt_tensor, mt_tensor grad_or_null);
// The grads array, or any of its entries, may be NULL. inputs may be NULL: then every leaf gets its gradient.
MT_API int32_t mt_backward(mt_tensor* outputs, mt_tensor* grads, int32_t n, int32_t retain_graph, int32_t create_graph,
                           mt_tensor* inputs, int32_t ninputs);
MT_API int32_t mt_autograd_grad(mt_tensor* outputs, mt_tensor* grads, int32_t noutputs, mt_tensor* inputs, int32_t ninputs,
                                int32_t retain_graph, int32_t create_graph, int32_t allow_unused, mt_tensor* out);
MT_API int32_t mt_grad_mode(int32_t on);      // -1 only asks; returns the previous state
MT_API int32_t mt_inference_mode_enabled(void);
MT_API void* mt_inference_enter(int32_t on);
MT_API void mt_inference_exit(void*);
// A node whose backward is the callback. It gets borrowed gradients (NULL where undefined) and fills owned ones or NULL.
typedef int32_t (*mt_backward_callback)(void* context, mt_tensor* grad_outputs, int32_t noutputs, mt_tensor* grad_inputs, int32_t ninputs);
MT_API int32_t mt_custom_node(mt_backward_callback callback, void (*release)(void*), void* context, mt_tensor* inputs, int32_t ninputs,
                              mt_tensor* outputs, int32_t noutputs, mt_tensor* wrapped);

// ---- random numbers
MT_API int32_t mt_manual_seed(uint64_t);
MT_API mt_generator mt_generator_new(int32_t device_type, int32_t device_index, uint64_t seed);
MT_API mt_generator mt_generator_default(int32_t device_type, int32_t device_index);
MT_API void mt_generator_free(mt_generator);
MT_API int32_t mt_generator_set_seed(mt_generator, uint64_t);
MT_API uint64_t mt_generator_seed(mt_generator);
MT_API mt_tensor mt_generator_state(mt_generator);
MT_API int32_t mt_generator_set_state(mt_generator, mt_tensor);

// ---- TorchScript: modules of one tensor to one tensor
MT_API mt_script mt_script_load(const char* path, int32_t device_type, int32_t device_index);
MT_API void mt_script_free(mt_script);
MT_API int32_t mt_script_train(mt_script, int32_t on);
MT_API mt_tensor mt_script_forward(mt_script, mt_tensor input);

// ---- context: autocast, threads, flags, default dtype
MT_API int32_t mt_autocast(int32_t device_type, int32_t on, int32_t dtype);   // on: -1 asks, dtype: -1 leaves; returns the previous state, -1 on failure
MT_API int32_t mt_autocast_dtype(int32_t device_type);
MT_API int32_t mt_autocast_nesting(int32_t delta);                           // returns the new nesting depth; clears the cache at 0
MT_API void mt_set_num_threads(int32_t);
MT_API int32_t mt_get_num_threads(void);
MT_API int32_t mt_set_num_interop_threads(int32_t);
MT_API int32_t mt_get_num_interop_threads(void);
MT_API const char* mt_config(int32_t which);  // 0: build configuration, 1: parallel information
MT_API int32_t mt_flag(const char* name, int32_t value);   // -1 only asks; returns the previous value, -1 on failure
MT_API int32_t mt_has_mkldnn(void);
MT_API int32_t mt_default_dtype(int32_t dtype);             // -1 only asks; returns the previous dtype, -1 on failure

// ---- CPU memory: an allocator in front of libtorch's own that counts live bytes
MT_API int32_t mt_cpu_memory_install(void);
MT_API void mt_cpu_memory(int64_t* current, int64_t* peak, int64_t* allocations, int32_t reset_peak);
MT_API void mt_cpu_memory_trim(void);

// ---- fp32 volumes [1, C, X, Y, Z] on the CPU; the channels of each must be dense, but may be far apart
MT_API int32_t mt_volume_kernels(void);        // 1 where this processor can run them
MT_API int32_t mt_channel_sums(mt_tensor volume, double* sums);   // adds each channel's sum and sum of squares to sums[2 C]
// result = volume * scale[c] + shift[c], then SiLU if asked for; the result may be the volume.
MT_API int32_t mt_channel_affine(mt_tensor volume, const float* scale, const float* shift, int32_t silu, mt_tensor result);
MT_API mt_tensor mt_convolution_weights(mt_tensor weight);        // [out, in, 3, 3, 3] made ready for mt_convolution
// The most bytes that mt_convolution takes for itself, for a result of these extents and the threads there are now.
MT_API int64_t mt_convolution_scratch(int64_t in_channels, int64_t out_channels, int64_t planes, int64_t rows, int64_t columns);
// 3x3x3, stride 1, zeros around; plus bias and residual, which may be NULL. Plane i of the result is centred on plane i + 1 - lead of
// the volume: lead 1 is a whole volume, lead 0 one that has a plane of its neighbour in front (and behind).
MT_API int32_t mt_convolution(mt_tensor volume, mt_tensor weights, mt_tensor bias, mt_tensor residual, int32_t lead, mt_tensor result);
// The same convolution of a batch of whole volumes [B, in, X, Y, Z] under autograd: its gradients are computed by kernels of this kind too.
MT_API mt_tensor mt_convolution_3x3x3(mt_tensor volumes, mt_tensor weight, mt_tensor bias_or_null);

// ---- CUDA; in a CPU build these fail with MT_E_NO_CUDA, and the counts are 0
MT_API int32_t mt_cuda_device_count(void);
MT_API int32_t mt_cuda_cudnn_version(void);   // 0 without cuDNN
MT_API int32_t mt_cuda_synchronize(int32_t device);
MT_API int32_t mt_cuda_empty_cache(void);
MT_API int32_t mt_cuda_memory(int32_t device, int64_t* out6, int32_t reset_peak);   // allocated, its peak, reserved, its peak, free, total
MT_API void* mt_cuda_graph_new(void);
MT_API void mt_cuda_graph_free(void*);
MT_API int32_t mt_cuda_graph_begin(void*);
MT_API int32_t mt_cuda_graph_end(void*);
MT_API int32_t mt_cuda_graph_replay(void*);
#ifdef __cplusplus
}
#endif
