/* SPDX-License-Identifier: MIT
 *
 * Updates of the weights. */
#include "api/check.h"

#include <math.h>

downhill_status downhill_update_f32(const downhill_kernels *kernels,
                                    const downhill_weights_f32 *weights,
                                    const downhill_gradient_f32 *grad, size_t n,
                                    const downhill_sgd *sgd)
{
    struct update_factors factors;
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_gradient(grad)) != DOWNHILL_OK ||
        (status = downhill_check_same_shape(weights, grad)) != DOWNHILL_OK ||
        (status = downhill_check_update(sgd, n, &factors)) != DOWNHILL_OK)
        return status;
    downhill_weight_update(kernels, weights, grad, factors, 1.0f);
    return DOWNHILL_OK;
}

downhill_status downhill_axpby_f32(const downhill_kernels *kernels, float alpha,
                                   const downhill_weights_f32 *x, float beta,
                                   const downhill_weights_f32 *y)
{
    if (x == NULL)
        return DOWNHILL_ERR_NULL;
    const downhill_gradient_f32 moves = {x->w, x->ldw, x->b, x->d, x->c};
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_gradient(&moves)) != DOWNHILL_OK ||
        (status = downhill_check_weights(y)) != DOWNHILL_OK ||
        (status = downhill_check_same_shape(y, &moves)) != DOWNHILL_OK)
        return status;
    if (!isfinite(alpha) || !isfinite(beta))
        return DOWNHILL_ERR_PARAMETER;
    const struct update_factors factors = {beta, -alpha};
    downhill_weight_update(kernels, y, &moves, factors, beta);
    return DOWNHILL_OK;
}

static downhill_status check_update_packed(const downhill_kernels **kernels,
                                           const downhill_weights_f32 *weights,
                                           const downhill_packed_u8 *packed, size_t n,
                                           const downhill_sgd *sgd, struct update_factors *factors)
{
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = downhill_check_kernels(kernels)) != DOWNHILL_OK ||
        (status = downhill_check_packed_u8(*kernels, packed)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_update_u8(sgd, n, factors)) != DOWNHILL_OK)
        return status;
    return weights->d != p->d || weights->c != p->c ? DOWNHILL_ERR_PACKED : DOWNHILL_OK;
}

downhill_status downhill_update_u8(const downhill_kernels *kernels,
                                   const downhill_weights_f32 *weights, downhill_packed_u8 *packed,
                                   const downhill_gradient_u8 *grad, size_t n,
                                   const downhill_sgd *sgd)
{
    struct update_factors factors;
    downhill_status status;
    if ((status = check_update_packed(&kernels, weights, packed, n, sgd, &factors)) !=
            DOWNHILL_OK ||
        (status = downhill_check_gradient_u8(grad)) != DOWNHILL_OK)
        return status;
    if (weights->d != grad->d || weights->c != grad->c)
        return DOWNHILL_ERR_SIZE;
    downhill_update_packed_u8(weights, grad, factors, downhill_packed_u8_in(packed));
    return DOWNHILL_OK;
}

downhill_status downhill_update_u8_f64(const downhill_kernels *kernels,
                                       const downhill_weights_f32 *weights,
                                       downhill_packed_u8 *packed,
                                       const downhill_gradient_f64 *grad, size_t n,
                                       const downhill_sgd *sgd)
{
    struct update_factors factors;
    downhill_status status;
    if ((status = check_update_packed(&kernels, weights, packed, n, sgd, &factors)) !=
            DOWNHILL_OK ||
        (status = downhill_check_gradient_f64(grad)) != DOWNHILL_OK)
        return status;
    if (weights->d != grad->d || weights->c != grad->c)
        return DOWNHILL_ERR_SIZE;
    downhill_update_packed_u8_by_f64(weights, grad, factors, downhill_packed_u8_in(packed));
    return DOWNHILL_OK;
}
