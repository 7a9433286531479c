;; The WebAssembly SIMD kernel of the Reed-Solomon code: sums of products over GF(2^8), 32 bytes of a symbol at a time.
;; `npm run build:kernel` assembles this file into kernel-binary.ts; wasm-kernel.ts says what lies where in the memory.
;;
;; The product of a byte and a coefficient is the XOR of two look-ups, one for each nibble of the byte, in the
;; coefficient's tables of 16 products (32 bytes together); i8x16.swizzle makes 16 look-ups at once.
;;
;; A list from $terms to $end names the inputs: 12 bytes each, address of the input and of the tables of its
;; coefficients in the first and the second output. Neither list nor length is empty. Between a symbol's end and the
;; next multiple of 32 there may be anything, before and after. Two outputs at a time keep all sums in registers and
;; halve the work of loading and splitting inputs; four were slower, as registers run out.
(module
  (memory (import "kernel" "memory") 1)

  (func (export "combineTwo")
    (param $terms i32) (param $end i32) (param $first i32) (param $second i32) (param $bytes i32)
    (local $column i32) (local $term i32) (local $at i32)
    (local $nibble v128) (local $low v128) (local $high v128)
    (local $low0 v128) (local $high0 v128) (local $low1 v128) (local $high1 v128)
    (local $first0 v128) (local $first1 v128) (local $second0 v128) (local $second1 v128)
    (local.set $nibble (i8x16.splat (i32.const 15)))
    (loop $columns
      (local.set $first0 (v128.const i64x2 0 0))
      (local.set $first1 (v128.const i64x2 0 0))
      (local.set $second0 (v128.const i64x2 0 0))
      (local.set $second1 (v128.const i64x2 0 0))
      (local.set $term (local.get $terms))
      (loop $inputs
        (local.set $at (i32.add (i32.load (local.get $term)) (local.get $column)))
        (local.set $low0 (v128.load (local.get $at)))
        (local.set $high0 (v128.and (i16x8.shr_u (local.get $low0) (i32.const 4)) (local.get $nibble)))
        (local.set $low0 (v128.and (local.get $low0) (local.get $nibble)))
        (local.set $low1 (v128.load offset=16 (local.get $at)))
        (local.set $high1 (v128.and (i16x8.shr_u (local.get $low1) (i32.const 4)) (local.get $nibble)))
        (local.set $low1 (v128.and (local.get $low1) (local.get $nibble)))

        (local.set $at (i32.load offset=4 (local.get $term)))
        (local.set $low (v128.load (local.get $at)))
        (local.set $high (v128.load offset=16 (local.get $at)))
        (local.set $first0 (v128.xor (local.get $first0) (v128.xor
          (i8x16.swizzle (local.get $low) (local.get $low0))
          (i8x16.swizzle (local.get $high) (local.get $high0)))))
        (local.set $first1 (v128.xor (local.get $first1) (v128.xor
          (i8x16.swizzle (local.get $low) (local.get $low1))
          (i8x16.swizzle (local.get $high) (local.get $high1)))))

        (local.set $at (i32.load offset=8 (local.get $term)))
        (local.set $low (v128.load (local.get $at)))
        (local.set $high (v128.load offset=16 (local.get $at)))
        (local.set $second0 (v128.xor (local.get $second0) (v128.xor
          (i8x16.swizzle (local.get $low) (local.get $low0))
          (i8x16.swizzle (local.get $high) (local.get $high0)))))
        (local.set $second1 (v128.xor (local.get $second1) (v128.xor
          (i8x16.swizzle (local.get $low) (local.get $low1))
          (i8x16.swizzle (local.get $high) (local.get $high1)))))

        (local.set $term (i32.add (local.get $term) (i32.const 12)))
        (br_if $inputs (i32.lt_u (local.get $term) (local.get $end))))

      (local.set $at (i32.add (local.get $first) (local.get $column)))
      (v128.store (local.get $at) (local.get $first0))
      (v128.store offset=16 (local.get $at) (local.get $first1))
      (local.set $at (i32.add (local.get $second) (local.get $column)))
      (v128.store (local.get $at) (local.get $second0))
      (v128.store offset=16 (local.get $at) (local.get $second1))
      (local.set $column (i32.add (local.get $column) (i32.const 32)))
      (br_if $columns (i32.lt_u (local.get $column) (local.get $bytes)))))

  ;; The same for the last output of an odd number; the second table address of each term is not read.
  (func (export "combineOne")
    (param $terms i32) (param $end i32) (param $output i32) (param $bytes i32)
    (local $column i32) (local $term i32) (local $at i32)
    (local $nibble v128) (local $low v128) (local $high v128)
    (local $bytes0 v128) (local $bytes1 v128) (local $sum0 v128) (local $sum1 v128)
    (local.set $nibble (i8x16.splat (i32.const 15)))
    (loop $columns
      (local.set $sum0 (v128.const i64x2 0 0))
      (local.set $sum1 (v128.const i64x2 0 0))
      (local.set $term (local.get $terms))
      (loop $inputs
        (local.set $at (i32.add (i32.load (local.get $term)) (local.get $column)))
        (local.set $bytes0 (v128.load (local.get $at)))
        (local.set $bytes1 (v128.load offset=16 (local.get $at)))
        (local.set $at (i32.load offset=4 (local.get $term)))
        (local.set $low (v128.load (local.get $at)))
        (local.set $high (v128.load offset=16 (local.get $at)))
        (local.set $sum0 (v128.xor (local.get $sum0) (v128.xor
          (i8x16.swizzle (local.get $low) (v128.and (local.get $bytes0) (local.get $nibble)))
          (i8x16.swizzle (local.get $high)
            (v128.and (i16x8.shr_u (local.get $bytes0) (i32.const 4)) (local.get $nibble))))))
        (local.set $sum1 (v128.xor (local.get $sum1) (v128.xor
          (i8x16.swizzle (local.get $low) (v128.and (local.get $bytes1) (local.get $nibble)))
          (i8x16.swizzle (local.get $high)
            (v128.and (i16x8.shr_u (local.get $bytes1) (i32.const 4)) (local.get $nibble))))))
        (local.set $term (i32.add (local.get $term) (i32.const 12)))
        (br_if $inputs (i32.lt_u (local.get $term) (local.get $end))))
      (local.set $at (i32.add (local.get $output) (local.get $column)))
      (v128.store (local.get $at) (local.get $sum0))
      (v128.store offset=16 (local.get $at) (local.get $sum1))
      (local.set $column (i32.add (local.get $column) (i32.const 32)))
      (br_if $columns (i32.lt_u (local.get $column) (local.get $bytes))))))
