// Rounds significand x 2^(top - (WIDTH-1)) to FP32, to nearest, ties to even. The significand is
// normalised (its highest bit is 1) or zero; its lowest bit stands for all bits below it as well.
// Results below 2^-126 are subnormal; beyond the largest number the result is Inf.
//
// FAULT chooses a wrong device (see README.md); 0 is the right one.
module bs_round #(
    parameter WIDTH = 28,  // at least 26
    parameter FAULT = 0
) (
    input  wire                    negative,
    input  wire        [WIDTH-1:0] significand,
    input  wire signed [11:0]      top,          // exponent of the highest bit
    output wire        [31:0]      result
);
  localparam REST = WIDTH - 25;  // bits below the guard bit

  // A subnormal result keeps fewer bits: move them down to the grid of 2^-149.
  wire signed [11:0] below     = -12'sd126 - top;
  wire               subnormal = below > 0;
  wire [11:0]        shift     = subnormal ? below : 12'd0;
  wire [WIDTH-1:0]   moved     = significand >> shift;
  wire               lost      = (FAULT == 27) ? 1'b0
                               : |(significand & ~({WIDTH{1'b1}} << shift));

  wire [23:0] kept   = moved[WIDTH-1-:24];
  wire        guard  = moved[REST];
  wire        sticky = (|moved[REST-1:0]) || lost;
  wire        up     = (FAULT == 2) ? 1'b0
                     : (FAULT == 3) ? guard
                     : guard && (sticky || kept[0]);

  // Exponent and fraction side by side: a carry out of the fraction counts the exponent up, which
  // also turns the largest subnormal into the smallest normal number.
  wire signed [11:0] biased  = top + 12'sd127;
  wire        [11:0] field   = subnormal ? 12'd0 : biased;
  wire        [34:0] joined = {field, kept[22:0]};
  wire        [22:0] fraction_up = kept[22:0] + {22'b0, up};
  wire        [34:0] rounded = (FAULT == 24) ? {field, fraction_up} : joined + {34'b0, up};
  wire               above   = rounded[34:23] >= 12'd255;

  assign result = above ? {negative, (FAULT == 14) ? 31'h7f7fffff : 31'h7f800000}
                : (FAULT == 9 && subnormal) ? {negative, 31'b0}
                : {negative, rounded[30:0]};
endmodule
