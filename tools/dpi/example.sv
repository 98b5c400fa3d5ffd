// Quantises two blocks of NVFP4, multiplies them as a Blackwell unit does, and prints the results in
// hex.
//
//   $ verilator --binary --top-module example tools/dpi/blockscale_pkg.sv tools/dpi/example.sv \
//     -LDFLAGS "-L$PWD/.build/release -lBlockscaleC -Wl,-rpath,$PWD/.build/release"
//   $ obj_dir/Vexample
module example;
  import blockscale_pkg::*;

  chandle format, unit, wrong;
  bs_vector x, codes, scales, values;
  longint sum;

  task automatic must(input int code);
    if (code != BS_OK) $fatal(1, "%s: %s", bs_message(code), bs_last_error());
  endtask

  initial begin
    $display("version %s interface %0d", bs_version(), bs_interface_version());
    format = bs_format_open("", "nvfp4", "", "", "");
    unit = bs_mma_open("", "e2m1", "ue4m3", 16, "", "ue4m3", 16, "blackwell-fp4");
    if (format == null || unit == null) $fatal(1, "%s", bs_last_error());
    // 32 numbers, (−1)^i · 1.m · 2^e
    for (int i = 0; i < 32; i++) begin
      x[32*i+:32] = {1'(i), 8'(124 + i % 5), 23'(i * 123457)};
    end
    must(bs_quantize(format, x, 32, 32'h3F800000, codes, scales));
    must(bs_dequantize(format, codes, scales, 32, 32'h3F800000, values));
    must(bs_dot(unit, 32, codes, scales, 0, codes, scales, 0, 64'h3F800000, sum));
    $display("codes %h", codes[127:0]);
    $display("scales %h", scales[15:0]);
    $display("values %h", values[1023:0]);
    $display("sum %h", 32'(sum));
    wrong = bs_format_open("", "nvfp5", "", "", "");
    $display("refused %0d %s", wrong == null, bs_last_error());
    bs_mma_close(unit);
    bs_format_close(format);
    $finish;
  end
endmodule
