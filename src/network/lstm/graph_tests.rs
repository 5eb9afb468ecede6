use super::rows;

/// The operator wants all input gates, then all output, forget and cell gates; row 4u + g is gate g of unit u in the order input,
/// forget, cell, output.
#[test]
fn gates_are_those_of_the_operator() {
    assert_eq!(rows(3), [0, 4, 8, 3, 7, 11, 1, 5, 9, 2, 6, 10]);
}
