//! Every rule of the grants, one row a case.
