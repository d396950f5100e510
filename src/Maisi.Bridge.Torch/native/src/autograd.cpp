// Gradients, grad modes and custom backward nodes.
#include "shim.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/custom_class.h>

#include <vector>

namespace {

std::vector<at::Tensor> borrow_all(mt_tensor* handles, int32_t n) {
  std::vector<at::Tensor> result;
  if (!handles) return result;
  result.reserve(n);
  for (int32_t i = 0; i < n; i++) result.push_back(mt::borrow(handles[i]));
  return result;
}

// Owns the managed context for as long as the graph holds the node.
struct CallbackHolder : torch::CustomClassHolder {
  mt_backward_callback callback;
  void (*release)(void*);
  void* context;
  int32_t input_count;
  CallbackHolder(mt_backward_callback c, void (*r)(void*), void* x, int32_t n) : callback(c), release(r), context(x), input_count(n) {}
  ~CallbackHolder() override {
    if (release && context) release(context);
  }
};

// Function<> is the one spelling of a custom node that is the same from libtorch 1.13 to 2.14.
struct CallbackFunction : torch::autograd::Function<CallbackFunction> {
  using Variables = torch::autograd::variable_list;

  static Variables forward(torch::autograd::AutogradContext* context, at::TensorList, c10::intrusive_ptr<CallbackHolder> holder,
                           std::shared_ptr<Variables> outputs) {
    context->saved_data["holder"] = c10::IValue::make_capsule(holder);
    return *outputs;
  }

  static Variables backward(torch::autograd::AutogradContext* context, Variables grads) {
    auto capsule = context->saved_data["holder"].toCapsule();
    auto* holder = static_cast<CallbackHolder*>(capsule.get());
    std::vector<mt_tensor> grad_outputs(grads.size());
    std::vector<mt_tensor> grad_inputs(static_cast<size_t>(holder->input_count), nullptr);
    for (size_t i = 0; i < grads.size(); i++) grad_outputs[i] = grads[i].defined() ? grads[i].unsafeGetTensorImpl() : nullptr;
    const int32_t failed = holder->callback(holder->context, grad_outputs.data(), static_cast<int32_t>(grad_outputs.size()),
                                            grad_inputs.data(), holder->input_count);
    Variables result;
    for (auto* handle : grad_inputs)
      result.push_back(handle ? at::Tensor(mt::TensorPtr::reclaim(static_cast<c10::TensorImpl*>(handle))) : at::Tensor());
    if (failed) throw std::runtime_error("the managed backward function failed");
    result.resize(static_cast<size_t>(holder->input_count) + 2);  // forward's two opaque arguments count as inputs
    return result;
  }
};

}  // namespace

extern "C" {
int32_t mt_set_requires_grad(mt_tensor t, int32_t on) {
  MT_TRY
  mt::borrow(t).set_requires_grad(on != 0);
  return 0;
  MT_CATCH(1)
}

int32_t mt_grad_get(mt_tensor t, mt_tensor* out) {
  MT_TRY
  *out = mt::give(mt::borrow(t).grad());
  return 0;
  MT_CATCH(1)
}

int32_t mt_grad_set(mt_tensor t, mt_tensor grad) {
  MT_TRY
  mt::borrow(t).mutable_grad() = mt::borrow(grad);
  return 0;
  MT_CATCH(1)
}

int32_t mt_backward(mt_tensor* outputs, mt_tensor* grads, int32_t n, int32_t retain_graph, int32_t create_graph, mt_tensor* inputs, int32_t ninputs) {
  MT_TRY
  torch::autograd::backward(borrow_all(outputs, n), borrow_all(grads, n), retain_graph != 0, create_graph != 0, borrow_all(inputs, ninputs));
  return 0;
  MT_CATCH(1)
}

int32_t mt_autograd_grad(mt_tensor* outputs, mt_tensor* grads, int32_t noutputs, mt_tensor* inputs, int32_t ninputs, int32_t retain_graph,
                         int32_t create_graph, int32_t allow_unused, mt_tensor* out) {
  MT_TRY
  auto result = torch::autograd::grad(borrow_all(outputs, noutputs), borrow_all(inputs, ninputs), borrow_all(grads, noutputs), retain_graph != 0,
                                      create_graph != 0, allow_unused != 0);
  for (int32_t i = 0; i < ninputs; i++) out[i] = mt::give(std::move(result[i]));
  return 0;
  MT_CATCH(1)
}

int32_t mt_grad_mode(int32_t on) {
  const bool previous = c10::GradMode::is_enabled();
  if (on >= 0) c10::GradMode::set_enabled(on != 0);
  return previous;
}

int32_t mt_inference_mode_enabled(void) { return c10::InferenceMode::is_enabled(); }
void* mt_inference_enter(int32_t on) {
  MT_TRY
  return new c10::InferenceMode(on != 0);
  MT_CATCH(nullptr)
}
void mt_inference_exit(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }

int32_t mt_custom_node(mt_backward_callback callback, void (*release)(void*), void* context, mt_tensor* inputs, int32_t ninputs,
                       mt_tensor* outputs, int32_t noutputs, mt_tensor* wrapped) {
  MT_TRY
  auto x = borrow_all(inputs, ninputs);
  CallbackFunction::Variables y;
  for (int32_t i = 0; i < noutputs; i++) y.push_back(mt::borrow(outputs[i]).detach());
  auto holder = c10::make_intrusive<CallbackHolder>(callback, release, context, ninputs);
  auto result = CallbackFunction::apply(at::TensorList(x), holder, std::make_shared<CallbackFunction::Variables>(std::move(y)));
  for (int32_t i = 0; i < noutputs; i++) wrapped[i] = mt::give(std::move(result[i]));
  return 0;
  MT_CATCH(1)
}
}
