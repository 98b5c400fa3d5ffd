// bs_dot between registers: what a bench drives and a synthesis run constrains. A block enters with
// `in_valid` on a rising edge of the clock; its result stands two edges later, with `out_valid`. One
// block each clock. `reset` is synchronous and only clears the valid bits. Parameters as in bs_dot.v.
module bs_dot_unit #(
    parameter ELEMENT       = 0,
    parameter SCALE         = 1,
    parameter Q_B           = 16,
    parameter INT_FRACTION  = 6,
    parameter DROPPED       = 0,
    parameter FAULT         = 0,
    parameter ELEMENT_WIDTH = (ELEMENT == 0) ? 4 : 8  // derived; leave alone
) (
    input  wire                         clk,
    input  wire                         reset,
    input  wire                         in_valid,
    input  wire [Q_B*ELEMENT_WIDTH-1:0] a,
    input  wire [Q_B*ELEMENT_WIDTH-1:0] b,
    input  wire [7:0]                   scale_a,
    input  wire [7:0]                   scale_b,
    input  wire [31:0]                  c,
    output reg                          out_valid,
    output reg  [31:0]                  d
);
  reg                         held_valid;
  reg [Q_B*ELEMENT_WIDTH-1:0] held_a, held_b;
  reg [7:0]                   held_scale_a, held_scale_b;
  reg [31:0]                  held_c;
  wire [31:0]                 result;

  bs_dot #(
      .ELEMENT(ELEMENT), .SCALE(SCALE), .Q_B(Q_B), .INT_FRACTION(INT_FRACTION),
      .DROPPED(DROPPED), .FAULT(FAULT)
  ) dot (
      .a(held_a), .b(held_b), .scale_a(held_scale_a), .scale_b(held_scale_b), .c(held_c), .d(result)
  );

  always @(posedge clk) begin
    held_valid   <= in_valid && !reset;
    held_a       <= a;
    held_b       <= b;
    held_scale_a <= scale_a;
    held_scale_b <= scale_b;
    held_c       <= c;
    out_valid    <= held_valid && !reset;
    d            <= result;
  end
endmodule
