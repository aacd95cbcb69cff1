int pd_search_called(int a);
int pd_search_offered(int a);
int pd_search_tested(int a);
