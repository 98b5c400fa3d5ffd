// Self-checking bench for bs_dot_unit, in Verilog-2001 (Icarus). Run it in the folder that holds the
// vectors and dot_fields.vh. The last line says PASS or FAIL; `tools/rtl/test` goes by that line.
//
// To check a device of your own, replace the instance `device` and keep its handshake, or change the
// two always blocks below it.
`timescale 1ns / 1ps
`include "dot_fields.vh"

module dot_bench;
  reg [`DOT_INPUTS_WIDTH-1:0]   inputs   [0:`DOT_COUNT-1];
  reg [`DOT_EXPECTED_WIDTH-1:0] expected [0:`DOT_COUNT-1];

  reg                         clk, reset, in_valid;
  reg [`DOT_INPUTS_WIDTH-1:0] word;
  wire                        out_valid;
  wire [31:0]                 d;
  integer sent, checked, mismatches, first, index, unreadable;
  reg [31:0] first_observed;

  bs_dot_unit #(
      .ELEMENT(`DOT_ELEMENT), .SCALE(`DOT_SCALE), .Q_B(`DOT_Q_B), .DROPPED(`DOT_DROPPED),
      .INT_FRACTION(`DOT_INT_FRACTION)
  ) device (
      .clk(clk), .reset(reset), .in_valid(in_valid),
      .a      (`DOT_A(word)),
      .b      (`DOT_B(word)),
      .scale_a(`DOT_SCALE_A(word)),
      .scale_b(`DOT_SCALE_B(word)),
      .c      (`DOT_C(word)),
      .out_valid(out_valid), .d(d)
  );

  // Vectors are complete before the clock starts: nothing can read them too early. A word of ones is
  // in no file (NaN is 7fc00000), so that one left over tells a file that is too short.
  initial begin
    clk = 0; reset = 1; in_valid = 0; word = 0;
    sent = 0; checked = 0; mismatches = 0; first = -1; unreadable = 0; first_observed = 0;
    for (index = 0; index < `DOT_COUNT; index = index + 1) begin
      inputs[index] = {`DOT_INPUTS_WIDTH{1'b1}};
      expected[index] = {`DOT_EXPECTED_WIDTH{1'b1}};
    end
    $readmemh(`DOT_INPUTS_FILE, inputs);
    $readmemh(`DOT_EXPECTED_FILE, expected);
    for (index = 0; index < `DOT_COUNT; index = index + 1)
      if (&inputs[index] !== 1'b0 || &expected[index] !== 1'b0 ||
          ^inputs[index] === 1'bx || ^expected[index] === 1'bx) unreadable = unreadable + 1;
    if (unreadable != 0) begin
      $display("dot_bench: %0d of %0d vectors are missing or not hexadecimal", unreadable, `DOT_COUNT);
      $display("FAIL");
      $finish;
    end else begin
      repeat (2) begin #5 clk = 1; #5 clk = 0; end
      reset = 0;
      while (checked < `DOT_COUNT && sent < `DOT_COUNT + 16) begin #5 clk = 1; #5 clk = 0; end
      report;
    end
  end

  // One block each clock. `sent` goes on counting after the last one, to end a run without results.
  always @(posedge clk)
    if (!reset) begin
      in_valid <= sent < `DOT_COUNT;
      if (sent < `DOT_COUNT) word <= inputs[sent];
      sent <= sent + 1;
    end

  always @(posedge clk)
    if (!reset && out_valid) begin
      if (d !== `DOT_D(expected[checked])) begin
        if (mismatches == 0) begin
          first = checked;
          first_observed = d;
        end
        mismatches = mismatches + 1;
      end
      checked = checked + 1;
    end

  task report;
    begin
      $display("vectors %0d checked %0d mismatches %0d", `DOT_COUNT, checked, mismatches);
      if (mismatches != 0) begin
        $display("first mismatch: vector %0d inputs %h", first, inputs[first]);
        $display("first mismatch: a %h b %h scale_a %h scale_b %h c %h",
                 `DOT_A(inputs[first]), `DOT_B(inputs[first]),
                 `DOT_SCALE_A(inputs[first]),
                 `DOT_SCALE_B(inputs[first]),
                 `DOT_C(inputs[first]));
        $display("first mismatch: expected %h observed %h", expected[first], first_observed);
      end
      if (mismatches == 0 && checked == `DOT_COUNT) $display("PASS");
      else $display("FAIL");
      $finish;
    end
  endtask
endmodule
