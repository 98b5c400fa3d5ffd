// Self-checking bench for bs_dot_unit, in SystemVerilog (Verilator). Run it in the folder that holds
// the vectors; dot_fields.vh lies on the include path. The last line says PASS or FAIL, and the
// program's exit status is not 0 after a failure.
`timescale 1ns / 1ps
`include "dot_fields.vh"

module dot_bench;
  typedef logic [`DOT_INPUTS_WIDTH-1:0]   inputs_t;
  typedef logic [`DOT_EXPECTED_WIDTH-1:0] expected_t;
  localparam int Count = `DOT_COUNT;

  inputs_t   inputs   [0:Count-1];
  expected_t expected [0:Count-1];

  // The golden result of a vector. A live model called by DPI-C takes its place here: import its
  // function, hand it the fields of inputs[index], and return its bits.
  function automatic logic [31:0] golden(int index);
    return `DOT_D(expected[index]);
  endfunction

  logic        clk = 0, reset = 1, in_valid = 0, out_valid;
  inputs_t     word = '0;
  logic [31:0] d, first_observed;
  int          sent = 0, checked = 0, mismatches = 0, first = 0, missing = 0;

  bs_dot_unit #(
      .ELEMENT(`DOT_ELEMENT), .SCALE(`DOT_SCALE), .Q_B(`DOT_Q_B), .DROPPED(`DOT_DROPPED),
      .INT_FRACTION(`DOT_INT_FRACTION)
  ) device (
      .clk, .reset, .in_valid,
      .a      (`DOT_A(word)),
      .b      (`DOT_B(word)),
      .scale_a(`DOT_SCALE_A(word)),
      .scale_b(`DOT_SCALE_B(word)),
      .c      (`DOT_C(word)),
      .out_valid, .d
  );

  // The clock starts when the vectors are there. A word of ones is in no file (NaN is 7fc00000), so
  // that one left over tells a file that is too short. Verilator knows no x: it cannot see an x digit.
  initial begin
    for (int i = 0; i < Count; i++) begin
      inputs[i] = '1;
      expected[i] = '1;
    end
    $readmemh(`DOT_INPUTS_FILE, inputs);
    $readmemh(`DOT_EXPECTED_FILE, expected);
    for (int i = 0; i < Count; i++) if (&inputs[i] || &expected[i]) missing++;
    if (missing != 0) begin
      $display("dot_bench: %0d of %0d vectors are missing", missing, Count);
      $display("FAIL");
      $fatal(1, "vectors missing");
    end
    repeat (2) begin #5 clk = 1; #5 clk = 0; end
    reset = 0;
    while (checked < Count && sent < Count + 16) begin #5 clk = 1; #5 clk = 0; end
    report();
  end

  // One block each clock. `sent` goes on counting after the last one, to end a run without results.
  always @(posedge clk)
    if (!reset) begin
      in_valid <= sent < Count;
      if (sent < Count) word <= inputs[sent];
      sent <= sent + 1;
    end

  always @(posedge clk)
    if (!reset && out_valid && checked < Count) begin
      if (d != golden(checked)) begin
        if (mismatches == 0) begin
          first <= checked;
          first_observed <= d;
        end
        mismatches <= mismatches + 1;
      end
      checked <= checked + 1;
    end

  task automatic report();
    $display("vectors %0d checked %0d mismatches %0d", Count, checked, mismatches);
    if (mismatches != 0) begin
      $display("first mismatch: vector %0d inputs %h", first, inputs[first]);
      $display("first mismatch: expected %h observed %h", golden(first), first_observed);
    end
    if (mismatches == 0 && checked == Count) begin
      $display("PASS");
      $finish;
    end else begin
      $display("FAIL");
      $fatal(1, "%0d mismatches", mismatches);
    end
  endtask
endmodule
