// bs_dot_unit as another design might have it: names of its own, a reset that is active at 0, an
// enable, no valid ports, a result always three rising edges after its operands. For NVFP4 blocks of 16.
//
//   make_bench VECTORS --top inner_product --clock ck --reset-low rst_n --latency 3
//       --tie "enable=1'b1" --port a=x --port b=w --port scale_a=x_scale --port scale_b=w_scale --port c=bias --port d=y
module inner_product (
    input  wire        ck,
    input  wire        rst_n,
    input  wire        enable,
    input  wire [63:0] x,
    input  wire [7:0]  x_scale,
    input  wire [63:0] w,
    input  wire [7:0]  w_scale,
    input  wire [31:0] bias,
    output reg  [31:0] y
);
  wire [31:0] d;
  wire        unused_valid;
  bs_dot_unit #(.ELEMENT(0), .SCALE(1), .Q_B(16)) unit (
      .clk(ck), .reset(!rst_n), .in_valid(1'b1),
      .a(x), .b(w), .scale_a(x_scale), .scale_b(w_scale), .c(bias),
      .out_valid(unused_valid), .d(d)
  );
  always @(posedge ck) if (enable) y <= d;
endmodule
