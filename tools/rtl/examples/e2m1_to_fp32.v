// An E2M1 code as FP32, combinational: a device for `blockscale vectors --format nvfp4 --op decode`.
//
//   make_bench VECTORS --top e2m1_to_fp32 --port value=fp32 --latency 0
module e2m1_to_fp32 (
    input  wire [3:0]  code,
    output wire [31:0] fp32
);
  wire zero = code[2:0] == 3'd0;
  wire half = code[2:0] == 3'd1;  // the only subnormal
  wire [7:0] exponent = zero ? 8'd0 : half ? 8'd126 : 8'd126 + {6'd0, code[2:1]};
  assign fp32 = {code[3], exponent, code[0] && !half, 22'd0};
endmodule
